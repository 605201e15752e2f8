// Runs the official conformance tests: validation, decisions, reasons and errors of each.
// SPDX-License-Identifier: PostgreSQL
//
//   node corpus.mjs PROGRAM FOLDER
//
// PROGRAM is tests/differential/answer; FOLDER holds tests/, sample-data/, known-differences.json and
// corpus-dev.tar.gz as ../shared/cedar does. The last lines count.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ask, decided } from './ask.mjs';

const [program, folder] = process.argv.slice(2);
if (!program || !folder) throw new Error('usage: corpus.mjs PROGRAM FOLDER');
const known = JSON.parse(fs.readFileSync(path.join(folder, 'known-differences.json'), 'utf8'));
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'cedar-corpus-'));
process.on('exit', () => fs.rmSync(work, { recursive: true, force: true }));
execFileSync('tar', ['-xzf', path.join(folder, 'corpus-dev.tar.gz'), '-C', work]);

/** Tests below a folder; the paths in them start at root. */
function find(root, below) {
  return fs.readdirSync(path.join(root, below), { recursive: true })
    .filter((name) => name.endsWith('.json') && !name.endsWith('.entities.json'))
    .sort().map((name) => ({ root, file: path.join(root, below, name) }));
}

/** The requests go on as they stand: 64-bit integers would not survive JSON.parse. */
function load({ root, file }) {
  const text = fs.readFileSync(file, 'utf8');
  const test = JSON.parse(text);
  const read = (name) => fs.readFileSync(path.join(root, name), 'utf8');
  const start = text.indexOf('[', text.indexOf('"requests"'));
  const name = path.basename(file, '.json');
  return {
    name, test, shouldValidate: known[name]?.shouldValidate ?? test.shouldValidate,
    inputs: {
      schema: read(test.schema), policies: read(test.policies), entities: read(test.entities),
      requests: text.slice(start, text.lastIndexOf(']') + 1),
    },
  };
}

function faults({ test, shouldValidate }, answer) {
  if (answer.stage) return [answer.error];
  const found = [];
  if ((answer.errors.length === 0) !== shouldValidate) found.push(`valid should be ${shouldValidate}: ${answer.errors}`);
  if (answer.entities !== undefined) return [...found, `entities refused: ${answer.entities}`];
  test.requests.forEach((request, i) => {
    const expected = JSON.stringify(decided(request)), got = JSON.stringify(decided(answer.decisions[i]));
    if (expected !== got) found.push(`request ${i}: expected ${expected}, got ${got}`);
  });
  return found;
}

const tests = [...find(folder, 'tests'), ...find(work, 'corpus-tests')].map(load);
const answers = await ask(program, tests.map((t) => t.inputs));
let failed = 0;
tests.forEach((test, i) => {
  const found = faults(test, answers[i]);
  if (found.length === 0) return;
  failed++;
  console.log(`FAIL ${test.name}: ${found.join('; ')}`);
});
console.log(`${tests.length} official tests, ${failed} failed`);
console.log(`# PASS: ${tests.length - failed}\n# FAIL: ${failed}`);
process.exit(failed > 0 ? 1 : 0);
