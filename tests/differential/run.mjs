// Compares the Cedar library with the official engine over random worlds.
// SPDX-License-Identifier: PostgreSQL
//
//   node run.mjs PROGRAM [--cases N] [--seed N] [--keep FOLDER] [--verbose]
//
// PROGRAM is tests/differential/answer. The last lines count; exit 1 when anything differs. --keep
// writes each differing case to a folder.
import fs from 'node:fs';
import path from 'node:path';
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { ask, decided } from './ask.mjs';
import { makeNames } from './names.mjs';
import { random, makeWorld, makePolicy, makeEntities, makeRequest, schemaText, schemaJson, damage, damageJson } from './generate.mjs';

const VERSION = '4.13';
const options = { cases: 400, seed: 1, keep: '', verbose: false };
const [program, ...rest] = process.argv.slice(2);
while (rest.length > 0) {
  const name = rest.shift();
  if (name === '--verbose') options.verbose = true;
  else if (['--cases', '--seed'].includes(name)) options[name.slice(2)] = Number(rest.shift());
  else if (name === '--keep') options.keep = rest.shift();
  else throw new Error(`unknown option ${name}`);
}
if (!program) throw new Error('usage: run.mjs PROGRAM [--cases N] [--seed N] [--keep FOLDER] [--verbose]');
if (!cedar.getCedarVersion().startsWith(VERSION))
  throw new Error(`expected cedar-wasm ${VERSION}, found ${cedar.getCedarVersion()}`);

const SCHEMA_WORDS = ['entity', 'type', 'in', 'Set', 'User', '{', '}', ';', ',', '?', '=', ':', '"a"', 'Long', 'tags', '[', ']', '::', '@a'];
const POLICY_WORDS = ['==', 'in', 'is', 'has', '.', '&&', '||', '(', ')', 'principal', 'context', '1', '"a"', '!', 'if', '[', ']', '{', '}', ',', '-'];

/** One case from one seed: what both sides are given. */
function makeCase(seed) {
  const r = random(seed);
  const made = { seed, requests: [], links: [], policies: [], entities: [] };
  if (r.chance(0.25)) return { ...made, ...makeNames(r) };
  const world = makeWorld(r);
  made.schema = r.chance(0.4) ? schemaJson(world, r) : schemaText(world);
  if (r.chance(0.2)) made.schema = typeof made.schema === 'string' ? damage(r, made.schema, SCHEMA_WORDS) : damageJson(r, made.schema);
  for (let i = 1 + r.below(4); i > 0; i--) {
    const policy = makePolicy(r, world);
    made.policies.push(r.chance(0.08) ? damage(r, policy, POLICY_WORDS) : policy);
  }
  if (r.chance(0.3)) {
    const slots = r.pick([['principal'], ['resource'], ['principal', 'resource']]);
    made.template = makePolicy(r, world, slots);
    const values = Object.fromEntries(slots.map((s) => [`?${s}`, { type: world.full(r.chance(0.05) ? 'Nobody' : r.pick(world.entities).name), id: 'x' }]));
    made.links.push({ templateId: `policy${made.policies.length}`, newId: 'link', values });
  }
  made.entities = makeEntities(r, world);
  if (r.chance(0.1)) made.entities = damageJson(r, made.entities);
  for (let i = 0; i < 4; i++) {
    const request = makeRequest(r, world);
    made.requests.push(r.chance(0.05) ? { ...request, context: damageJson(r, request.context) } : request);
  }
  return made;
}

// ---- the official side ----

const failed = (answer) => answer.type === 'failure';
const texts = (answer) => answer.errors.map((e) => e.message).join('; ');

function officialValidation(made, policies) {
  const answer = cedar.validate({ schema: made.schema, policies, validationSettings: { mode: 'strict' } });
  if (failed(answer)) return { failure: texts(answer) };
  const about = (part) => answer.validationWarnings.filter((w) => w.error.message.includes(part)).map((w) => w.policyId).sort();
  return {
    errors: answer.validationErrors.map((e) => `${e.policyId}: ${e.error.message}`).sort(),
    impossible: about('policy is impossible'),
    inapplicable: about('unable to find an applicable action'),
    odd: [...about('contains mixed scripts'), ...about('BIDI control'), ...about('General Security Profile')],
  };
}

function officialDecision(made, policies, request) {
  const answer = cedar.isAuthorized({ ...request, schema: made.schema, validateRequest: true, policies, entities: made.entities });
  if (failed(answer)) return { error: texts(answer) };
  const { decision, diagnostics } = answer.response;
  return { decision, reason: [...diagnostics.reason].sort(), errors: diagnostics.errors.map((e) => e.policyId).sort() };
}

function official(made) {
  const schema = cedar.checkParseSchema(made.schema);
  if (failed(schema)) return { stage: 'schema', error: texts(schema) };
  const policies = {
    staticPolicies: Object.fromEntries(made.policies.map((text, i) => [`policy${i}`, text])),
    templates: made.template ? { [`policy${made.policies.length}`]: made.template } : {},
    templateLinks: made.links,
  };
  const parsed = cedar.checkParsePolicySet(policies);
  if (failed(parsed)) return { stage: 'policies', error: texts(parsed) };
  const result = officialValidation(made, policies);
  const entities = cedar.checkParseEntities({ entities: made.entities, schema: made.schema });
  if (failed(entities)) return { ...result, entities: texts(entities) };
  return { ...result, decisions: made.requests.map((q) => officialDecision(made, policies, q)) };
}

// ---- our side ----

const json = (value) => JSON.stringify(value);

function inputs(made) {
  const isText = typeof made.schema === 'string';
  return {
    [isText ? 'schema' : 'schema-json']: isText ? made.schema : json(made.schema),
    policies: [...made.policies, ...(made.template ? [made.template] : [])].join('\n'),
    entities: json(made.entities),
    requests: json(made.requests),
    ...(made.links.length > 0 ? { links: json(made.links) } : {}),
  };
}

// ---- the comparison ----

const ODD = ['easily overlooked', 'the direction of writing', 'several writing systems'];
const about = (answer, part) => answer.warnings.filter((w) => w.includes(part)).map((w) => w.split(':')[0]).sort();

/**
 * What a case comes down to: texts of messages are each side's own. After an error in a policy
 * ours goes on with what it knows, the official engine forgets it: so only valid policies are
 * compared for being impossible.
 */
function summary(answer, isOurs) {
  if (answer.stage) return { stage: answer.stage };
  const invalid = [...new Set(answer.errors.map((e) => e.split(':')[0]))].sort();
  const impossible = isOurs ? about(answer, 'the policy is impossible') : answer.impossible;
  return {
    invalid,
    impossible: impossible.filter((id) => !invalid.includes(id)),
    inapplicable: isOurs ? about(answer, 'no action of the schema applies') : answer.inapplicable,
    odd: [...new Set(isOurs ? ODD.flatMap((part) => about(answer, part)) : answer.odd)].sort(),
    entities: answer.entities === undefined ? 'accepted' : 'refused',
    decisions: answer.decisions?.map(decided),
  };
}

const count = { schema: 0, policies: 0, valid: 0, invalid: 0, entities: 0, refused: 0, decided: 0 };

function tally(answer) {
  if (answer.stage) return count[answer.stage]++;
  count[answer.errors.length > 0 ? 'invalid' : 'valid']++;
  if (answer.entities !== undefined) return count.entities++;
  for (const d of answer.decisions) count[d.error !== undefined ? 'refused' : 'decided']++;
}

const cases = Array.from({ length: options.cases }, (_, i) => makeCase(options.seed * 1000003 + i));
const answers = await ask(program, cases.map(inputs));
let different = 0;
cases.forEach((made, i) => {
  let theirs;
  try {
    theirs = official(made);
  } catch (error) {
    return; // its stack has an end where ours has a limit
  }
  tally(theirs);
  if (json(summary(theirs, false)) === json(summary(answers[i], true))) return;
  different++;
  if (options.verbose || different <= 5) {
    console.log(`--- case ${made.seed}`);
    console.log('official:', json(theirs));
    console.log('ours:    ', json(answers[i]));
  }
  if (options.keep) fs.writeFileSync(path.join(options.keep, `${made.seed}.json`), JSON.stringify(made, null, 1));
});
console.log(`official: ${Object.entries(count).map(([k, v]) => `${k} ${v}`).join(', ')}`);
console.log(`${cases.length} cases, ${different} different`);
console.log(`# PASS: ${cases.length - different}\n# FAIL: ${different}`);
process.exit(different > 0 ? 1 : 0);
