// Asks tests/differential/answer: one line of JSON for each case.
// SPDX-License-Identifier: PostgreSQL
import { spawn } from 'node:child_process';

/** A case: {schema | schema-json, policies, links, entities, requests}, all texts, most optional. */
function frame(inputs) {
  const parts = [];
  for (const [name, text] of Object.entries(inputs)) {
    const bytes = Buffer.from(text);
    parts.push(Buffer.from(`${name} ${bytes.length}\n`), bytes);
  }
  return Buffer.concat([...parts, Buffer.from('go\n')]);
}

export async function ask(program, cases) {
  const child = spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  const out = [];
  child.stdout.on('data', (chunk) => out.push(chunk));
  const ended = new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
  child.stdin.on('error', () => {});
  for (const inputs of cases) child.stdin.write(frame(inputs));
  child.stdin.end();
  const status = await ended;
  const lines = Buffer.concat(out).toString().split('\n').filter(Boolean).map((line) => JSON.parse(line));
  if (status !== 0 || lines.length !== cases.length)
    throw new Error(`${program} ended with ${status} after ${lines.length} of ${cases.length} answers`);
  return lines;
}

/** A decision without the texts of errors, in one order. */
export function decided(d) {
  if (d.error !== undefined) return 'refused';
  return { decision: d.decision, reason: [...d.reason].sort(), errors: [...d.errors].sort() };
}
