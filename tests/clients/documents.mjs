// Stock Yjs clients at the end of a pipe.
import WebSocketOfWs from 'ws'
import { WebsocketProvider as Provider2 } from 'y-websocket-2'
import { WebsocketProvider as Provider3 } from 'y-websocket-3'
import * as Y from 'yjs'
import { serve } from './pipe.mjs'

const PROVIDERS = {
  // The older client runs on the ws package, the newer one on the WebSocket that Node brings along.
  2: [Provider2, WebSocketOfWs],
  3: [Provider3, globalThis.WebSocket],
}
const people = new Map()

const operations = {
  open({ name, version, url, room, ticket }) {
    const doc = new Y.Doc()
    const [Provider, WebSocketPolyfill] = PROVIDERS[version]
    const options = { params: { ticket }, WebSocketPolyfill, disableBc: true, maxBackoffTime: 500 }
    const provider = new Provider(url, room, doc, options)
    const person = { doc, provider, drops: 0, syncs: 0, codes: [], undo: new Map() }
    provider.on('connection-close', (event) => {
      person.drops += 1
      if (event) person.codes.push(event.code)
    })
    provider.on('sync', (synced) => (person.syncs += synced ? 1 : 0))
    people.set(name, person)
  },
  async synced({ name, times = 1 }) {
    const person = people.get(name)
    await until(() => person.syncs >= times && person.provider.synced, (check) => person.provider.on('sync', check))
  },
  insert({ name, text, at, content }) {
    people.get(name).doc.getText(text).insert(at, content)
  },
  remove({ name, text, at, length }) {
    people.get(name).doc.getText(text).delete(at, length)
  },
  text: ({ name, text }) => people.get(name).doc.getText(text).toString(),
  async shows({ name, text, content }) {
    const { doc } = people.get(name)
    const shown = () => doc.getText(text).toString()
    await until(() => shown() === content, (check) => doc.on('update', check), () => JSON.stringify(shown()))
  },
  watchUndo({ name, text }) {
    const { doc, undo } = people.get(name)
    undo.set(text, new Y.UndoManager(doc.getText(text), { captureTimeout: 0 }))
  },
  undo({ name, text }) {
    people.get(name).undo.get(text).undo()
  },
  cursor({ name, cursor }) {
    people.get(name).provider.awareness.setLocalStateField('cursor', cursor)
  },
  clientId: ({ name }) => people.get(name).doc.clientID,
  async sees({ name, clientId, present = true }) {
    const { awareness } = people.get(name).provider
    await until(() => awareness.getStates().has(clientId) === present, (check) => awareness.on('change', check))
    return awareness.getStates().get(clientId) ?? null
  },
  disconnect({ name }) {
    people.get(name).provider.disconnect()
  },
  connect({ name, ticket, url }) {
    const { provider } = people.get(name)
    if (ticket) provider.params.ticket = ticket
    if (url) provider.serverUrl = url
    provider.connect()
  },
  // What a page does when it is told not to come back, which the stock client cannot know.
  status: ({ name }) => {
    const { provider, drops, syncs, codes } = people.get(name)
    return { connected: provider.wsconnected, synced: provider.synced, drops, syncs, codes }
  },
  async dropped({ name, times = 1 }) {
    const person = people.get(name)
    await until(() => person.drops >= times, (check) => person.provider.on('connection-close', check))
    return person.codes
  },
  close({ name }) {
    const { provider, doc } = people.get(name)
    provider.destroy()
    doc.destroy()
    people.delete(name)
  },
}

function until(condition, listen, explain = () => '') {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited in vain ${explain()}`)), 25_000)
    const check = () => {
      if (!condition()) return
      clearTimeout(timer)
      resolve()
    }
    listen(check)
    check()
  })
}

await serve(operations)
