// A real OpenID provider (oidc-provider) for the end-to-end tests, on loopback.
// SPDX-License-Identifier: PostgreSQL
//
// Told what to be by lines of JSON on standard input, each answered by one line
// on standard output; ends with its input. The first answer names the port.
//   {"set": {"clients": [...], "accounts": {SUB: CLAIMS}, "ttl": SECONDS,
//            "clock": SECONDS, "local": BOOL}}   replaces what is given, keeps the rest;
//                               local: its own address is the issuer
//   {"rotate": true}              new signing keys in place of the old ones
//   {"rotate": "announce"}        new keys behind the old ones, which go on signing
//   {"rotate": "switch"}          the half behind signs from now on
//   {"rotate": "rename"}          new signing keys under the ids of the old ones
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

const ISSUER = 'https://op.idp.test';
const RESOURCE = 'https://analytics.test';

const realNow = Date.now;
const state = { clients: [], accounts: {}, ttl: 3600, clock: 0, keys: newKeys() };
Date.now = () => realNow() + state.clock * 1000;

function newKey(alg, type, options) {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg, use: 'sig' };
}

function newKeys() {
  return [
    newKey('RS256', 'rsa', { modulusLength: 2048 }),
    newKey('PS256', 'rsa', { modulusLength: 2048 }),
    newKey('ES256', 'ec', { namedCurve: 'P-256' }),
    newKey('EdDSA', 'ed25519', {}),
  ];
}

const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];

function findAccount(ctx, sub) {
  const claims = state.accounts[sub];
  return claims && { accountId: sub, claims: async () => ({ sub, ...claims }) };
}

// The access token of a person carries the person's claims, as most providers can.
function extraTokenClaims(ctx, token) {
  return token.accountId ? state.accounts[token.accountId] : undefined;
}

function resourceServer(ctx, indicator, client) {
  return {
    scope: 'db',
    audience: RESOURCE,
    accessTokenFormat: 'jwt',
    accessTokenTTL: state.ttl,
    jwt: { sign: { alg: client.idTokenSignedResponseAlg } },
  };
}

function makeProvider() {
  const local = state.local && `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(local || ISSUER, {
    clients: state.clients,
    jwks: { keys: state.keys },
    findAccount,
    extraTokenClaims,
    claims: { openid: ['sub'], profile: ['preferred_username', 'groups', 'email'] },
    conformIdTokenClaims: false,
    cookies: { keys: [randomUUID()] },
    enabledJWA: {
      idTokenSigningAlgValues: algorithms,
      requestObjectSigningAlgValues: algorithms,
    },
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: { enabled: true, getResourceServerInfo: resourceServer },
    },
    pkce: { required: () => true },
    scopes: ['openid', 'profile', 'offline_access', 'db'],
    ttl: { IdToken: () => state.ttl, AccessToken: () => state.ttl },
  });
  provider.proxy = true;
  return provider;
}

// What is said about development features is of no use to a test.
console.warn = () => {};
console.info = () => {};

let handler = makeProvider().callback();
const server = createServer((request, response) => handler(request, response));

function rotated(how) {
  const half = state.keys.length / 2;
  if (how === 'announce') return [...state.keys, ...newKeys()];
  if (how === 'switch') return [...state.keys.slice(half), ...state.keys.slice(0, half)];
  if (how === 'rename') return newKeys().map((key, i) => ({ ...key, kid: state.keys[i].kid }));
  return newKeys();
}

function apply(command) {
  if (command.rotate) state.keys = rotated(command.rotate);
  Object.assign(state, command.set);
  handler = makeProvider().callback();
  return { port: server.address().port };
}

server.listen(0, '127.0.0.1', () => {
  const input = createInterface({ input: process.stdin });
  input.on('line', (line) => {
    let answer;
    try {
      answer = apply(JSON.parse(line));
    } catch (error) {
      answer = { error: String(error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  });
  input.on('close', () => process.exit(0));
});
