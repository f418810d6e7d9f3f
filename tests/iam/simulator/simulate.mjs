// Answers one simulation a line: `node simulate.mjs FOLDER-WITH-NODE_MODULES`, JSON in, JSON out.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const require = createRequire(`${process.argv[2]}/`)
const { runSimulation } = require('@cloud-copilot/iam-simulate')

for await (const line of createInterface({ input: process.stdin })) {
  const found = await runSimulation(JSON.parse(line), {})
  const answer = found.resultType === 'error' ? { error: found.errors } : { result: found.overallResult }
  if (found.result?.ignoredContextKeys?.length) {
    answer.error = `ignored context keys: ${found.result.ignoredContextKeys}`
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
