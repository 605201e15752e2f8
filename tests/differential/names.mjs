// Worlds about names alone: namespaces, common and entity types of one name, built-in names.
// SPDX-License-Identifier: PostgreSQL

const SPACES = ['', 'N', 'M', 'N::O'];
const NAMES = ['A', 'B', 'C', 'Long', 'ipaddr', 'String', 'Set', 'datetime'];
const BUILTINS = ['Long', 'String', 'Bool', 'ipaddr', '__cedar::Long', '__cedar::ipaddr'];
const WILD = ['Action', '__cedar::A', 'Nobody', 'N::Nobody', 'Set', 'N::Action', 'Boolean'];
const PROBES = ['1', '"x"', 'true', 'ip("::1")', 'datetime("2024-01-01")', '[1]', '{x: 1}'];

/** What is declared where, mostly without names that shadow others. */
function declare(r) {
  const all = [];
  const bare = r.some(NAMES, 0.3);
  for (const space of r.some(SPACES, 0.7)) {
    const names = space === '' ? bare : r.some(NAMES, 0.4).filter((name) => !bare.includes(name) || r.chance(0.02));
    for (const name of names) {
      const way = r.below(5);
      if (way < 4) all.push({ space, name, kind: 'entity' });
      if (way > 2) all.push({ space, name, kind: 'common' });
    }
  }
  return all;
}

const full = (d) => (d.space ? `${d.space}::${d.name}` : d.name);

/** A reference from a namespace: bare or full, to what may be meant there. */
function reference(r, all, space, kinds, order) {
  if (r.chance(0.02)) return r.pick(WILD);
  const near = all.filter((d) => kinds.includes(d.kind) && (d.kind === 'entity' || all.indexOf(d) < order || r.chance(0.1)));
  const d = near.length > 0 && r.chance(0.75) ? r.pick(near) : null;
  if (d === null) return kinds.includes('common') ? r.pick(BUILTINS) : near.length > 0 ? full(r.pick(near)) : 'A';
  return d.space === '' || d.space === space ? r.pick([d.name, d.name, full(d)]) : full(d);
}

function type(r, all, space, depth, order) {
  const n = r.below(depth > 0 ? 10 : 7);
  if (n < 7) return reference(r, all, space, ['entity', 'common'], order);
  if (n < 9) return `Set<${type(r, all, space, depth - 1, order)}>`;
  return `{x: ${type(r, all, space, depth - 1, order)}}`;
}

function declaration(r, all, d, order) {
  if (d.kind === 'common') return `type ${d.name} = ${type(r, all, d.space, 1, order)};`;
  const parents = r.chance(0.3) ? ` in [${reference(r, all, d.space, ['entity'], order)}]` : '';
  const more = r.chance(0.3) ? `, b?: ${type(r, all, d.space, 1, all.length)}` : '';
  return `entity ${d.name}${parents} {a: ${type(r, all, d.space, 1, all.length)}${more}};`;
}

function action(r, all, space, actions) {
  const entity = () => reference(r, all, space, ['entity'], 0);
  const group = actions.length > 0 ? r.pick(actions) : null;
  const parent = group === null || r.chance(0.5) ? ''
    : ` in [${group.space === space && r.chance(0.5) ? group.name : `${group.space ? `${group.space}::` : ''}Action::"${group.name}"`}]`;
  const name = `do${actions.length}`;
  actions.push({ space, name });
  return `action ${name}${parent} appliesTo {principal: ${entity()}, resource: [${entity()}]};`;
}

/** A schema, and policies that tell by their validity what each attribute's type came to be. */
export function makeNames(r) {
  const all = declare(r), actions = [], parts = [];
  for (const space of SPACES) {
    const texts = all.flatMap((d, i) => (d.space === space ? [declaration(r, all, d, i)] : []));
    if (all.some((d) => d.kind === 'entity') && r.chance(0.6)) texts.push(action(r, all, space, actions));
    if (texts.length > 0) parts.push(space ? `namespace ${space} {\n${texts.join('\n')}\n}` : texts.join('\n'));
  }
  const uids = all.filter((d) => d.kind === 'entity').map((d) => `${full(d)}::"x"`);
  const policies = [];
  for (let i = 0; i < 8; i++)
    policies.push(`permit (principal, action, resource) when { ${r.pick(['principal', 'resource'])}.a == ${r.pick([...PROBES, ...uids, ...uids])} };`);
  return { schema: parts.join('\n'), policies };
}
