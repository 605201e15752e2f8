// Random worlds for the comparison with the official engine: schema, policies, entities, requests.
// SPDX-License-Identifier: PostgreSQL
//
// Everything follows from one seed. Most of what is made is right, some of it is nearly right.

/** A small generator of numbers (mulberry32): the same seed gives the same worlds. */
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const r = {
    below: (n) => Math.floor(next() * n),
    chance: (p) => next() < p,
    pick: (list) => list[Math.floor(next() * list.length)],
    some: (list, p) => list.filter(() => next() < p),
  };
  return r;
}

const EXTENSIONS = ['ipaddr', 'decimal', 'datetime', 'duration'];
const ODD_TEXTS = ['say \u04bbello', 'パスワード', '漢字かな', '한글漢字', 'αβγ', 'a\u00a0b', 'user\u202e', 'naïve', 'Ωmega', 'Привет', 'שלום a', 'a\u200bb', 'ไทย', 'हिन्दी'];
const ATTRIBUTES = ['a', 'b', 'c', 'name', 'if', 'x y', 'n'];
const LITERALS = {
  ipaddr: ['ip("10.0.0.1")', 'ip("::1/64")', 'ip("10.0.0.300")'],
  decimal: ['decimal("1.5")', 'decimal("-0.0001")', 'decimal("1")'],
  datetime: ['datetime("2024-02-29")', 'datetime("2024-10-15T11:35:00Z")', 'datetime("2023-02-29")'],
  duration: ['duration("1d2h")', 'duration("-5ms")', 'duration("1x")'],
};

// ---- schemas ----

/** A type: {k: 'Long' | ... | 'Set' | 'Record' | 'Entity' | 'Ref', ...}. */
function makeType(r, world, depth) {
  const n = r.below(depth > 0 ? 12 : 8);
  if (n < 5) return { k: r.pick(['Bool', 'Long', 'String', 'String', 'Long']) };
  if (n === 5) return { k: 'Ext', name: r.pick(EXTENSIONS) };
  if (n < 8) return { k: 'Entity', name: r.pick(world.entities).name };
  if (n < 10) return { k: 'Set', of: makeType(r, world, depth - 1) };
  if (n === 10 && world.commons.length > 0) return { k: 'Ref', name: r.pick(world.commons).name };
  return { k: 'Record', attrs: makeAttributes(r, world, depth - 1) };
}

function makeAttributes(r, world, depth) {
  const attrs = {};
  for (const name of r.some(ATTRIBUTES, 0.4))
    attrs[name] = { type: makeType(r, world, depth), required: r.chance(0.6) };
  return attrs;
}

export function makeWorld(r) {
  const space = r.pick(['', '', 'N', 'App::Core']);
  const full = (name) => (space && !name.includes('::') ? `${space}::${name}` : name);
  const world = { space, full, entities: [], commons: [], actions: [] };
  for (const name of ['User', 'Group', 'Doc', 'Kind'].slice(0, 2 + r.below(3)))
    world.entities.push({ name, parents: [], attrs: {}, tags: null, ids: null });
  for (const name of r.some(['Info', 'Tree'], 0.5))
    world.commons.push({ name, type: makeType(r, world, 2) });
  for (const entity of world.entities) {
    if (entity.name === 'Kind' && r.chance(0.6)) {
      entity.ids = ['red', 'green'];
      continue;
    }
    entity.parents = r.some(world.entities, 0.3).map((e) => e.name);
    entity.attrs = makeAttributes(r, world, 2);
    if (r.chance(0.4)) entity.tags = makeType(r, world, 1);
  }
  const names = world.entities.map((e) => e.name);
  for (const name of ['read', 'write', 'all the', 'idle'].slice(0, 1 + r.below(4)))
    world.actions.push({
      name,
      parents: r.some(world.actions, 0.4).map((a) => a.name),
      applies: r.chance(0.85),
      principals: r.some(names, 0.5).concat(r.pick(names)).filter((n, i, all) => all.indexOf(n) === i),
      resources: r.some(names, 0.5).concat(r.pick(names)).filter((n, i, all) => all.indexOf(n) === i),
      context: makeAttributes(r, world, 1),
    });
  return world;
}

const quoted = (text) => JSON.stringify(text);
const attribute = (name) => (/^[a-z]+$/.test(name) && name !== 'if' ? name : quoted(name));

function typeText(t) {
  if (t.k === 'Set') return `Set<${typeText(t.of)}>`;
  if (t.k === 'Record') return recordText(t.attrs);
  return t.name ?? t.k;
}

function recordText(attrs) {
  const list = Object.entries(attrs).map(([name, a]) => `${attribute(name)}${a.required ? '' : '?'}: ${typeText(a.type)}`);
  return `{${list.join(', ')}}`;
}

export function schemaText(world) {
  const out = [];
  for (const c of world.commons) out.push(`type ${c.name} = ${typeText(c.type)};`);
  for (const e of world.entities) {
    if (e.ids) out.push(`entity ${e.name} enum [${e.ids.map(quoted).join(', ')}];`);
    else
      out.push(`entity ${e.name}${e.parents.length ? ` in [${e.parents.join(', ')}]` : ''} ` +
        `${recordText(e.attrs)}${e.tags ? ` tags ${typeText(e.tags)}` : ''};`);
  }
  for (const a of world.actions)
    out.push(`action ${quoted(a.name)}${a.parents.length ? ` in [${a.parents.map(quoted).join(', ')}]` : ''}` +
      (a.applies ? ` appliesTo {principal: [${a.principals}], resource: [${a.resources}], context: ${recordText(a.context)}}` : '') + ';');
  const text = out.join('\n');
  return world.space ? `namespace ${world.space} {\n${text}\n}\n` : text + '\n';
}

function typeJson(t, r) {
  if (t.k === 'Set') return { type: 'Set', element: typeJson(t.of, r) };
  if (t.k === 'Record') return recordJson(t.attrs, r);
  if (t.k === 'Ext') return r.chance(0.5) ? { type: 'Extension', name: t.name } : { type: t.name };
  if (t.k === 'Entity') return { type: r.chance(0.7) ? 'Entity' : 'EntityOrCommon', name: t.name };
  if (t.k === 'Ref') return r.chance(0.7) ? { type: t.name } : { type: 'EntityOrCommon', name: t.name };
  return { type: t.k === 'Bool' ? r.pick(['Boolean', 'Bool']) : t.k };
}

function recordJson(attrs, r) {
  const attributes = {};
  for (const [name, a] of Object.entries(attrs))
    attributes[name] = { ...typeJson(a.type, r), ...(a.required ? {} : { required: false }) };
  return { type: 'Record', attributes };
}

export function schemaJson(world, r) {
  const entityTypes = {}, actions = {}, commonTypes = {};
  for (const c of world.commons) commonTypes[c.name] = typeJson(c.type, r);
  for (const e of world.entities)
    entityTypes[e.name] = e.ids ? { enum: e.ids } : {
      memberOfTypes: e.parents, shape: recordJson(e.attrs, r), ...(e.tags ? { tags: typeJson(e.tags, r) } : {}),
    };
  for (const a of world.actions)
    actions[a.name] = {
      memberOf: a.parents.map((id) => ({ id })),
      ...(a.applies ? { appliesTo: { principalTypes: a.principals, resourceTypes: a.resources, context: recordJson(a.context, r) } } : {}),
    };
  return { [world.space]: { commonTypes, entityTypes, actions } };
}

// ---- policies ----

const key = (t) => JSON.stringify(t);
const resolved = (world, t) => (t.k === 'Ref' ? resolved(world, world.commons.find((c) => c.name === t.name).type) : t);

/** All paths from the variables with their types, a few steps deep. */
function paths(world, env) {
  const found = [];
  const walk = (text, type, depth, guards) => {
    const t = resolved(world, type);
    found.push({ text, type: t, guards });
    const attrs = t.k === 'Record' ? t.attrs : t.k === 'Entity' ? world.entities.find((e) => e.name === t.name)?.attrs : null;
    if (!attrs || depth === 0) return;
    for (const [name, a] of Object.entries(attrs)) {
      const plain = attribute(name) === name;
      walk(plain ? `${text}.${name}` : `${text}[${quoted(name)}]`, a.type, depth - 1,
        a.required ? guards : [...guards, `${text} has ${attribute(name)}`]);
    }
  };
  walk('principal', { k: 'Entity', name: env.principal }, 2, []);
  walk('resource', { k: 'Entity', name: env.resource }, 2, []);
  walk('context', { k: 'Record', attrs: env.context }, 2, []);
  return found;
}

class Maker {
  constructor(r, world, env) {
    Object.assign(this, { r, world, env, paths: paths(world, env) });
  }

  type() {
    const { r } = this;
    return r.chance(0.6) ? r.pick(this.paths).type : resolved(this.world, makeType(r, this.world, 1));
  }

  entity(name) {
    const e = this.world.entities.find((x) => x.name === name);
    return `${this.world.full(name)}::${quoted(e?.ids ? this.r.pick([...e.ids, ...(this.r.chance(0.05) ? ['blue'] : [])]) : this.r.pick(this.r.chance(0.03) ? ODD_TEXTS : ['alice', 'x', '']))}`;
  }

  action() {
    return `${this.world.full('Action')}::${quoted(this.r.chance(0.03) ? 'none' : this.r.pick(this.world.actions).name)}`;
  }

  /** An expression of a type; now and then one of another type. */
  expr(type, depth) {
    const { r } = this;
    if (r.chance(0.006)) type = this.type();
    const t = resolved(this.world, type);
    const matching = this.paths.filter((p) => key(p.type) === key(t));
    if (matching.length > 0 && r.chance(t.k === 'Record' ? 0.7 : 0.5)) {
      const path = r.pick(matching);
      return path.text;
    }
    if (depth > 0 && r.chance(0.1)) return `(if ${this.bool(depth - 1)} then ${this.expr(t, depth - 1)} else ${this.expr(t, depth - 1)})`;
    return this.literal(t, depth);
  }

  literal(t, depth) {
    const { r } = this;
    if (t.k === 'Bool') return depth > 0 ? `(${this.bool(depth - 1)})` : r.pick(['true', 'false']);
    if (t.k === 'Long') return depth > 0 && r.chance(0.3) ? `(${this.expr(t, depth - 1)} ${r.pick(['+', '-', '*'])} ${this.expr(t, depth - 1)})` : r.pick(['0', '1', '-7', '42']);
    if (t.k === 'String') return quoted(r.pick(r.chance(0.05) ? ODD_TEXTS : ['', 'alice', 'a*b', 'x y']));
    if (t.k === 'Ext') return this.extension(t, depth);
    if (t.k === 'Entity') return this.entity(t.name);
    if (t.k === 'Set') return `[${Array.from({ length: r.chance(0.01) ? 0 : 1 + r.below(2) }, () => this.expr(t.of, depth - 1)).join(', ')}]`;
    const attrs = Object.entries(t.attrs ?? {}).filter(([, a]) => a.required || r.chance(0.5));
    return `{${attrs.map(([name, a]) => `${attribute(name)}: ${this.expr(a.type, depth - 1)}`).join(', ')}}`;
  }

  extension(t, depth) {
    const { r } = this;
    if (depth > 0 && t.name === 'datetime' && r.chance(0.4)) return `${this.expr(t, depth - 1)}.offset(${this.expr({ k: 'Ext', name: 'duration' }, depth - 1)})`;
    if (depth > 0 && t.name === 'duration' && r.chance(0.4)) return `${this.expr({ k: 'Ext', name: 'datetime' }, depth - 1)}.durationSince(${this.expr({ k: 'Ext', name: 'datetime' }, depth - 1)})`;
    const texts = LITERALS[t.name];
    return r.chance(0.015) ? texts[2] : texts[r.below(2)];
  }

  bool(depth) {
    const { r } = this;
    const ways = [this.equal, this.order, this.member, this.is, this.has, this.guarded, this.tag, this.like, this.sets, this.method, this.truth];
    if (depth > 0 && r.chance(0.45)) return this.connect(depth);
    return r.pick(ways).call(this, Math.max(depth, 1) - 1);
  }

  connect(depth) {
    const { r } = this;
    const n = r.below(4);
    if (n === 0) return `!(${this.bool(depth - 1)})`;
    const sign = n === 1 ? ' || ' : ' && ';
    const parts = Array.from({ length: 2 + r.below(2) }, () => this.bool(depth - 1));
    return parts.map((p) => `(${p})`).join(sign);
  }

  truth() {
    return this.r.pick(['true', 'false', 'true && true', 'action == action']);
  }

  equal(depth) {
    const t = this.type();
    const other = this.r.chance(0.04) ? this.type() : t;
    return `${this.expr(t, depth)} ${this.r.pick(['==', '!='])} ${this.expr(other, depth)}`;
  }

  order(depth) {
    const { r } = this;
    const t = r.pick([{ k: 'Long' }, { k: 'Long' }, { k: 'Ext', name: r.pick(EXTENSIONS) }]);
    return `${this.expr(t, depth)} ${r.pick(['<', '<=', '>', '>='])} ${this.expr(t, depth)}`;
  }

  member(depth) {
    const { r } = this;
    if (r.chance(0.3)) return `action in ${r.pick([this.action(), `[${this.action()}, ${this.action()}]`, '[action]'])}`;
    const left = this.expr({ k: 'Entity', name: r.pick(this.world.entities).name }, depth);
    const group = { k: 'Entity', name: r.pick(this.world.entities).name };
    return `${left} in ${r.chance(0.5) ? this.expr(group, depth) : this.expr({ k: 'Set', of: group }, depth)}`;
  }

  is(depth) {
    const { r } = this;
    const object = r.pick(['principal', 'resource', 'action', this.expr({ k: 'Entity', name: r.pick(this.world.entities).name }, depth)]);
    const type = this.world.full(r.chance(0.05) ? 'Nobody' : r.pick([...this.world.entities.map((e) => e.name), 'Action']));
    return `${object} is ${type}${r.chance(0.3) ? ` in ${this.entity(r.pick(this.world.entities).name)}` : ''}`;
  }

  has() {
    const { r } = this;
    const path = r.pick(this.paths);
    if (path.guards.length > 0 && r.chance(0.7)) return r.pick(path.guards);
    return `${path.text} has ${r.pick(['a', 'b.c', 'name', '"x y"', 'a.b.c', 'nothing'])}`;
  }

  /** Something that is optional, mostly after the tests that make it safe. */
  guarded(depth) {
    const { r } = this;
    const optional = this.paths.filter((p) => p.guards.length > 0);
    if (optional.length === 0) return this.equal(depth);
    const path = r.pick(optional);
    const use = path.type.k === 'Bool' ? path.text : `${path.text} == ${this.expr(path.type, depth)}`;
    const guards = r.chance(0.1) ? path.guards.slice(1) : path.guards;
    if (r.chance(0.1)) return `if ${[...guards, 'true'].join(' && ')} then ${use} else ${this.bool(0)}`;
    if (r.chance(0.15)) return `(${guards.join(' && ') || 'true'} || ${r.chance(0.5) ? guards.join(' && ') || 'false' : this.bool(0)}) && ${use}`;
    return [...guards, use].map((p) => (r.chance(0.2) ? `(${p})` : p)).join(r.chance(0.05) ? ' || ' : ' && ');
  }

  tag(depth) {
    const { r } = this;
    const object = r.pick(this.paths.filter((p) => p.type.k === 'Entity'));
    const name = r.pick(['"k"', '"l"', this.expr({ k: 'String' }, 0)]);
    const tags = this.world.entities.find((e) => e.name === object.type.name)?.tags ?? { k: 'Long' };
    const test = `${object.text}.hasTag(${name})`;
    if (r.chance(0.3)) return test;
    return `${test} && ${object.text}.getTag(${r.chance(0.9) ? name : '"m"'}) == ${this.expr(tags, depth)}`;
  }

  like(depth) {
    return `${this.expr({ k: 'String' }, depth)} like ${this.r.pick(['"*"', '"a\\\\*b"', '"al*"'])}`;
  }

  sets(depth) {
    const { r } = this;
    const sets = this.paths.filter((p) => p.type.k === 'Set');
    const t = sets.length > 0 && r.chance(0.7) ? r.pick(sets).type : { k: 'Set', of: this.type() };
    const set = this.expr(t, depth);
    return r.pick([
      () => `${set}.contains(${this.expr(t.of, depth)})`,
      () => `${set}.containsAll(${this.expr(t, depth)})`,
      () => `${set}.containsAny(${this.expr(t, depth)})`,
      () => `${set}.isEmpty()`,
    ])();
  }

  method(depth) {
    const { r } = this;
    const ip = { k: 'Ext', name: 'ipaddr' }, decimal = { k: 'Ext', name: 'decimal' };
    return r.pick([
      () => `${this.expr(ip, depth)}.isInRange(${this.expr(ip, depth)})`,
      () => `${this.expr(ip, depth)}.isIpv4(${r.chance(0.05) ? '1' : ''})`,
      () => `${this.expr(decimal, depth)}.lessThan(${this.expr(decimal, depth)})`,
      () => `${this.expr({ k: 'Ext', name: 'datetime' }, depth)}.toTime() < ${this.expr({ k: 'Ext', name: 'duration' }, depth)}`,
      () => `${this.expr({ k: 'Ext', name: 'duration' }, depth)}.toMilliseconds() > ${this.expr({ k: 'Long' }, depth)}`,
    ])();
  }
}

/** A kind of request; a made-up one when no action applies to anything. */
function makeEnv(r, world) {
  const action = r.pick(world.actions);
  return {
    action: action.name, principal: r.pick(action.principals), resource: r.pick(action.resources),
    context: action.applies ? action.context : {},
  };
}

function scopePart(r, world, maker, word, type, slot) {
  const name = r.chance(0.8) ? type : r.chance(0.1) ? 'Nobody' : r.pick(world.entities).name;
  const group = r.pick(world.entities).name;
  const what = (n) => (slot ? `?${word}` : maker.entity(n));
  return r.pick([
    () => (slot ? `${word} == ?${word}` : word),
    () => `${word} == ${what(name)}`,
    () => `${word} in ${what(group)}`,
    () => (slot ? `${word} in ?${word}` : `${word} is ${world.full(name)}`),
    () => `${word} is ${world.full(name)} in ${what(group)}`,
  ])();
}

/** One policy, or a template with the slots asked for. */
export function makePolicy(r, world, slots = []) {
  const env = makeEnv(r, world);
  const maker = new Maker(r, world, env);
  const open = () => r.chance(0.4);
  const exact = r.chance(0.7); // a head that leaves one kind of request, which the conditions fit
  const part = (word, type) => {
    if (exact && !slots.includes(word)) return `${word} is ${world.full(type)}`;
    return slots.includes(word) || !open() ? scopePart(r, world, maker, word, type, slots.includes(word)) : word;
  };
  const one = `${world.full('Action')}::${quoted(env.action)}`;
  const action = exact ? `action == ${one}`
    : r.pick(['action', `action == ${one}`, `action in [${one}, ${maker.action()}]`, `action in ${maker.action()}`,
      r.chance(0.1) ? 'action in []' : `action in [${one}]`]);
  const clauses = Array.from({ length: r.below(3) }, () => `${r.pick(['when', 'when', 'unless'])} { ${maker.bool(1 + r.below(3))} }`);
  return `${r.pick(['permit', 'forbid'])} (${part('principal', env.principal)}, ${action}, ${part('resource', env.resource)}) ${clauses.join(' ')};`;
}

// ---- entities and requests ----

function valueJson(r, world, type, depth) {
  const t = resolved(world, type);
  if (r.chance(0.01)) return r.pick([1, 'x', true, [], {}, null, ['a', 1]]);
  if (t.k === 'Bool') return r.chance(0.5);
  if (t.k === 'Long') return r.below(100) - 50;
  if (t.k === 'String') return r.pick(['', 'alice', 'a*b', 'x y']);
  if (t.k === 'Ext') return extensionJson(r, t);
  if (t.k === 'Entity') return uidJson(r, makeUid(r, world, t.name));
  if (t.k === 'Set') return Array.from({ length: depth > 0 ? r.below(3) : 0 }, () => valueJson(r, world, t.of, depth - 1));
  return fieldsJson(r, world, t.attrs, depth - 1);
}

function extensionJson(r, t) {
  const text = LITERALS[t.name][r.chance(0.03) ? 2 : r.below(2)];
  const arg = /"(.*)"/.exec(text)[1];
  const fn = t.name === 'ipaddr' ? 'ip' : t.name;
  return r.pick([arg, { fn, arg }, { __extn: { fn, arg } }]);
}

const uidJson = (r, uid) => (r.chance(0.5) ? uid : { __entity: uid });

function makeUid(r, world, name) {
  const e = world.entities.find((x) => x.name === name);
  return { type: world.full(name), id: e?.ids ? r.pick(r.chance(0.05) ? ['blue'] : e.ids) : r.pick(['alice', 'bob', 'x', '']) };
}

function fieldsJson(r, world, attrs, depth) {
  const out = {};
  for (const [name, a] of Object.entries(attrs))
    if (r.chance(a.required ? 0.99 : 0.5)) out[name] = valueJson(r, world, a.type, depth);
  if (r.chance(0.02)) out.extra = 1;
  return out;
}

export function makeEntities(r, world) {
  const seen = new Set(), list = [];
  for (let i = r.below(6); i > 0; i--) {
    const entity = r.pick(world.entities);
    const uid = makeUid(r, world, entity.name);
    if (seen.has(JSON.stringify(uid))) continue;
    seen.add(JSON.stringify(uid));
    const parents = r.some(r.chance(0.05) ? world.entities.map((e) => e.name) : entity.parents, 0.3)
      .map((name) => makeUid(r, world, name)).filter((p) => !seen.has(JSON.stringify(p)));
    const tags = {};
    if ((entity.tags || r.chance(0.02)) && r.chance(0.5)) tags[r.pick(['k', 'l'])] = valueJson(r, world, entity.tags ?? { k: 'Long' }, 1);
    list.push({ uid: uidJson(r, uid), attrs: fieldsJson(r, world, entity.attrs, 2), parents: parents.map((p) => uidJson(r, p)), tags });
  }
  if (r.chance(0.05)) list.push({ uid: { type: world.full('Action'), id: r.pick(['read', 'none']) }, attrs: {}, parents: [] });
  return list;
}

export function makeRequest(r, world) {
  const env = makeEnv(r, world);
  const other = () => r.pick(world.entities).name;
  return {
    principal: makeUid(r, world, r.chance(0.95) ? env.principal : other()),
    action: { type: world.full('Action'), id: r.chance(0.97) ? env.action : 'none' },
    resource: makeUid(r, world, r.chance(0.95) ? env.resource : other()),
    context: fieldsJson(r, world, env.context, 2),
  };
}

// ---- damage ----

/** Cuts, repeats, swaps or replaces tokens of a text. */
export function damage(r, text, words) {
  const tokens = text.match(/"(?:\\.|[^"\\])*"|\s+|\w+|[^\s\w]/g) ?? [''];
  for (let i = 1 + r.below(2); i > 0; i--) {
    const at = r.below(tokens.length);
    const way = r.below(4);
    if (way === 0) tokens.splice(at, 1);
    else if (way === 1) tokens.splice(at, 0, tokens[r.below(tokens.length)]);
    else if (way === 2) tokens[at] = tokens[r.below(tokens.length)];
    else tokens[at] = r.pick(words);
  }
  return tokens.join('');
}

/** Changes one value, name or field somewhere in a JSON value. */
export function damageJson(r, json) {
  const copy = structuredClone(json);
  const places = [];
  const walk = (holder) => {
    for (const k of Object.keys(holder)) {
      places.push([holder, k]);
      if (holder[k] !== null && typeof holder[k] === 'object') walk(holder[k]);
    }
  };
  walk(copy);
  if (places.length === 0) return copy;
  const [holder, k] = r.pick(places);
  const way = r.below(4);
  if (way === 0) Array.isArray(holder) ? holder.splice(Number(k), 1) : delete holder[k];
  else if (way === 1) holder[k] = r.pick([null, 1, true, '', 'Long', 'User', 'N::User', [], {}, { type: 'Long' }, { type: 'Group' }]);
  else if (way === 2 && !Array.isArray(holder)) holder[r.pick(['type', 'required', 'name', 'element', 'in', 'Set', '__cedar', 'annotations'])] = holder[k];
  else {
    const [other, j] = r.pick(places);
    holder[k] = structuredClone(other[j]);
  }
  return copy;
}
