// The end of a pipe: reads {id, op, ...} a line and answers {id, result} or {id, error}; {leave: id} gives a call up.
import { Console } from 'node:console'
import { createInterface } from 'node:readline'

// Some clients print what they notice, and on this process's output only answers may stand.
globalThis.console = new Console(process.stderr)

export async function serve(operations) {
  const leaving = new Map()
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, op, leave, ...parameters } = JSON.parse(line)
    if (leave) leaving.get(leave)?.abort()
    else perform(id, operations[op], parameters)
  }
  process.exit(0)

  async function perform(id, operation, parameters) {
    leaving.set(id, new AbortController())
    try {
      answer({ id, result: (await operation(parameters, leaving.get(id).signal)) ?? null })
    } catch (error) {
      answer({ id, error: described(error) })
    }
    leaving.delete(id)
  }
}

function answer(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

function described(error) {
  const { message, status, status_code: statusCode, type: kind, code } = error
  return { name: error.constructor.name, message, status: status ?? statusCode, kind, code }
}
