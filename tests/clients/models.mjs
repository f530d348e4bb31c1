// Stock clients of AI models at the end of a pipe; only where they call is changed.
import assert from 'node:assert/strict'
import Anthropic from '@anthropic-ai/sdk'
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import { Ollama } from 'ollama'
import OpenAI from 'openai'
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod'
import * as z from 'zod'
import { serve } from './pipe.mjs'

const HELLO = [{ role: 'user', content: 'Say hello' }]
const QUESTION = 'How is the weather?'
const SUNNY = 'Sunny'
const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const Greeting = z.object({ greeting: z.string() })

/** Each operation takes what its client is asked with; `more` goes into the request, also what no client would send. */
const openai = {
  client: ({ url, token, maxRetries }) => new OpenAI({ baseURL: `${url}/ai/v1`, apiKey: token, maxRetries }),
  tools: (names) => ({ tools: named(names, (name) => ({ type: 'function', function: { name, parameters: SCHEMA } })) }),

  async ask(client, { model, tools, more }, signal) {
    const request = { model, messages: HELLO, ...this.tools(tools), ...more }
    return this.heard(await client.chat.completions.create(request, { signal }))
  },
  async stream(client, { model, tools, more }, signal) {
    const request = { model, messages: HELLO, stream_options: { include_usage: true }, ...this.tools(tools), ...more }
    const stream = client.chat.completions.stream(request, { signal })
    const words = []
    stream.on('content', (word) => words.push(word))
    return agreeing(words, this.heard(await stream.finalChatCompletion()))
  },
  async iterate(client, { model }) {
    return await all(await client.chat.completions.create({ model, messages: HELLO, stream: true }))
  },
  async giveBack(client, { model, tools }) {
    const asked = { model, ...this.tools(tools) }
    const { message } = (await client.chat.completions.create({ messages: HELLO, ...asked })).choices[0]
    const results = message.tool_calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: SUNNY }))
    return this.heard(await client.chat.completions.create({ messages: [...HELLO, message, ...results], ...asked })).text
  },
  async structured(client, { model }) {
    const request = { model, messages: HELLO, response_format: zodResponseFormat(Greeting, 'greeting') }
    return (await client.chat.completions.parse(request)).choices[0].message.parsed
  },
  async look(client, { model, picture }) {
    const url = `data:image/png;base64,${picture}`
    const content = [{ type: 'text', text: QUESTION }, { type: 'image_url', image_url: { url } }]
    return this.heard(await client.chat.completions.create({ model, messages: [{ role: 'user', content }] })).text
  },
  async models(client) {
    return (await all(await client.models.list())).map(({ id }) => id)
  },
  async embed(client, { model, texts }) {
    // Unasked, this client wants base64 and makes numbers of it.
    return (await client.embeddings.create({ model, input: texts })).data.map(({ embedding }) => embedding)
  },
  heard: ({ choices: [{ message, finish_reason }], usage }) => ({
    text: message.content ?? '',
    calls: (message.tool_calls ?? []).map(({ function: { name, arguments: given } }) => [name, JSON.parse(given)]),
    finish: finish_reason,
    tokens: [usage.prompt_tokens, usage.completion_tokens],
  }),
}

/** The same client, by its newer way of asking. */
const responses = {
  ...openai,
  tools: (names) => ({
    tools: named(names, (name) => ({ type: 'function', name, parameters: SCHEMA, strict: false })),
  }),

  async ask(client, { model, tools, more }, signal) {
    const request = { model, input: HELLO, ...this.tools(tools), ...more }
    return this.heard(await client.responses.create(request, { signal }))
  },
  async stream(client, { model, tools, more }, signal) {
    const stream = client.responses.stream({ model, input: HELLO, ...this.tools(tools), ...more }, { signal })
    const words = []
    stream.on('response.output_text.delta', ({ delta }) => words.push(delta))
    const response = await stream.finalResponse()
    // Here the client throws nothing by itself: this is how the dialect tells it.
    if (response.status === 'failed') throw new ResponseFailed(response.error.message)
    return agreeing(words, this.heard(response))
  },
  async iterate(client, { model }) {
    const events = await all(await client.responses.create({ model, input: HELLO, stream: true }))
    const last = events.at(-1)
    if (last.type === 'response.failed') throw new ResponseFailed(last.response.error.message)
    return events
  },
  async giveBack(client, { model, tools }) {
    const asked = { model, ...this.tools(tools) }
    const first = await client.responses.create({ input: HELLO, ...asked })
    const calls = first.output.filter(({ type }) => type === 'function_call')
    const results = calls.map(({ call_id }) => ({ type: 'function_call_output', call_id, output: SUNNY }))
    return (await client.responses.create({ input: [...HELLO, ...first.output, ...results], ...asked })).output_text
  },
  async structured(client, { model }) {
    const request = { model, input: HELLO, text: { format: zodTextFormat(Greeting, 'greeting') } }
    return (await client.responses.parse(request)).output_parsed
  },
  async look(client, { model, picture }) {
    const image = { type: 'input_image', image_url: `data:image/png;base64,${picture}` }
    const content = [{ type: 'input_text', text: QUESTION }, image]
    return (await client.responses.create({ model, input: [{ role: 'user', content }] })).output_text
  },
  heard: ({ output, output_text, status, usage }) => ({
    text: output_text,
    calls: output
      .filter(({ type }) => type === 'function_call')
      .map(({ name, arguments: given }) => [name, JSON.parse(given)]),
    finish: status,
    tokens: [usage.input_tokens, usage.output_tokens],
  }),
}

const anthropic = {
  client: ({ url, token, maxRetries }) => new Anthropic({ baseURL: `${url}/ai/anthropic`, apiKey: token, maxRetries }),
  tools: (names) => ({ tools: named(names, (name) => ({ name, input_schema: SCHEMA })) }),
  request: (model, messages = HELLO) => ({ model, messages, max_tokens: 100 }),

  async ask(client, { model, tools, more }, signal) {
    const request = { ...this.request(model), ...this.tools(tools), ...more }
    return this.heard(await client.messages.create(request, { signal }))
  },
  async stream(client, { model, tools, more }, signal) {
    const stream = client.messages.stream({ ...this.request(model), ...this.tools(tools), ...more }, { signal })
    const words = []
    stream.on('text', (word) => words.push(word))
    return agreeing(words, this.heard(await stream.finalMessage()))
  },
  async iterate(client, { model }) {
    return await all(await client.messages.create({ ...this.request(model), stream: true }))
  },
  async giveBack(client, { model, tools }) {
    const { content } = await client.messages.create({ ...this.request(model), ...this.tools(tools) })
    const calls = content.filter(({ type }) => type === 'tool_use')
    const results = calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: SUNNY }))
    const messages = [...HELLO, { role: 'assistant', content }, { role: 'user', content: results }]
    return this.heard(await client.messages.create({ ...this.request(model, messages), ...this.tools(tools) })).text
  },
  async structured(client, { model }) {
    const request = { ...this.request(model), output_config: { format: zodOutputFormat(Greeting) } }
    return (await client.messages.parse(request)).parsed_output
  },
  async look(client, { model, picture }) {
    const source = { type: 'base64', media_type: 'image/png', data: picture }
    const content = [{ type: 'image', source }, { type: 'text', text: QUESTION }]
    return this.heard(await client.messages.create(this.request(model, [{ role: 'user', content }]))).text
  },
  async models(client) {
    return (await all(await client.models.list())).map(({ id }) => id)
  },
  heard: ({ content, stop_reason, usage }) => ({
    text: content.map(({ text }) => text ?? '').join(''),
    calls: content.filter(({ type }) => type === 'tool_use').map(({ name, input }) => [name, input]),
    finish: stop_reason,
    tokens: [usage.input_tokens, usage.output_tokens],
  }),
}

const ollama = {
  client({ url, token }, signal) {
    // By itself it gives up streams only, and no stream before its first words.
    const stoppable = (address, options) => fetch(address, { ...options, signal })
    const headers = { authorization: `Bearer ${token}` }
    return new Ollama({ host: `${url}/ai/ollama`, headers, fetch: stoppable })
  },
  tools: (names) => ({
    tools: named(names, (name) => ({ type: 'function', function: { name, description: name, parameters: SCHEMA } })),
  }),

  async ask(client, { model, tools, more }) {
    return this.heard([await client.chat({ model, messages: HELLO, ...this.tools(tools), ...more })])
  },
  async stream(client, { model, tools, more }) {
    const lines = await client.chat({ model, messages: HELLO, stream: true, ...this.tools(tools), ...more })
    return this.heard(await all(lines))
  },
  async iterate(client, { model }) {
    return await all(await client.chat({ model, messages: HELLO, stream: true }))
  },
  async giveBack(client, { model, tools }) {
    const asked = { model, ...this.tools(tools) }
    const { message } = await client.chat({ messages: HELLO, ...asked })
    const results = message.tool_calls.map((call) => ({ role: 'tool', tool_name: call.function.name, content: SUNNY }))
    return (await client.chat({ messages: [...HELLO, message, ...results], ...asked })).message.content
  },
  async structured(client, { model }) {
    const answer = await client.chat({ model, messages: HELLO, format: z.toJSONSchema(Greeting) })
    return Greeting.parse(JSON.parse(answer.message.content))
  },
  async look(client, { model, picture }) {
    const messages = [{ role: 'user', content: QUESTION, images: [picture] }]
    return (await client.chat({ model, messages })).message.content
  },
  async models(client) {
    return (await client.list()).models.map(({ model }) => model)
  },
  async embed(client, { model, texts }) {
    return (await client.embed({ model, input: texts })).embeddings
  },
  heard: (lines) => ({
    text: lines.map(({ message }) => message.content ?? '').join(''),
    calls: lines
      .flatMap(({ message }) => message.tool_calls ?? [])
      .map(({ function: { name, arguments: given } }) => [name, given]),
    finish: lines.at(-1).done_reason,
    tokens: [lines.at(-1).prompt_eval_count, lines.at(-1).eval_count],
  }),
}

const clients = { openai, responses, anthropic, ollama }

class ResponseFailed extends Error {}

function named(names, told) {
  return names?.length ? names.map(told) : undefined
}

function agreeing(words, heard) {
  assert.equal(words.join(''), heard.text)
  return heard
}

async function all(stream) {
  const items = []
  for await (const item of stream) items.push(item)
  return items
}

await serve({
  call({ how, what, url, token, maxRetries, ...asked }, signal) {
    const kind = clients[how]
    return kind[what](kind.client({ url, token, maxRetries }, signal), asked, signal)
  },
})
