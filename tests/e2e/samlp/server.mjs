// A SAML identity provider (samlp) for the end-to-end tests, on loopback.
// SPDX-License-Identifier: PostgreSQL
//
// Told what to be by lines of JSON on standard input, each answered by one line
// on standard output; ends with its input. The first answer names the port.
//   {"set": {"issuer": ENTITY-ID, "key": PEM, "cert": PEM, "people": {NAME: PROFILE},
//            "sps": {ENTITY-ID: {"acs": URL, …samlp's own options}}}}
// replaces what is given and keeps the rest.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import samlp from 'samlp';

const state = { people: {}, sps: {} };

// What samlp expects of express.
function adapt(response) {
  response.set = (name, value) => response.setHeader(name, value);
  response.send = (status, text) => {
    if (typeof status === 'number') response.statusCode = status;
    response.end(String(text ?? status));
  };
  return response;
}

async function readForm(request) {
  let body = '';
  for await (const piece of request) body += piece;
  return Object.fromEntries(new URLSearchParams(body));
}

const quote = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

// The form that asks who it is carries on what the client asked for.
function askPerson(query, response) {
  const hidden = Object.entries(query)
    .map(([name, value]) => `<input type="hidden" name="${quote(name)}" value="${quote(value)}">`);
  response.end(`<form method="post" action="/login">${hidden.join('')}
<input name="username"><input type="password" name="password"></form>`);
}

function answer(form, request, response) {
  const person = form.password === `${form.username}pass` && state.people[form.username];
  request.query = { SAMLRequest: form.SAMLRequest, RelayState: form.RelayState };
  request.body = {};
  samlp.parseRequest(request, {}, (failure, asked) => {
    const entity = asked?.issuer ?? form.sp;
    const sp = state.sps[entity];
    if (failure || !person || !sp) return response.send(403, 'no such person or service provider');
    const { acs, ...options } = sp;
    return samlp.auth({
      issuer: state.issuer,
      key: state.key,
      cert: state.cert,
      audience: entity,
      destination: acs,
      recipient: acs,
      getUserFromRequest: () => ({ id: form.username, ...person }),
      getPostURL: (audience, dom, req, callback) => callback(null, acs),
      ...options,
    })(request, response, (error) => response.send(500, String(error)));
  });
}

async function handle(request, plain) {
  const response = adapt(plain);
  const url = new URL(request.url, 'http://127.0.0.1');
  if (url.pathname === '/metadata') {
    request.protocol = 'http';
    request.originalUrl = request.url;
    samlp.metadata({ issuer: state.issuer, cert: state.cert, redirectEndpointPath: '/sso', postEndpointPath: '/sso' })(
      request, response);
  } else if (url.pathname === '/sso') askPerson(Object.fromEntries(url.searchParams), response);
  else if (url.pathname === '/login') answer(await readForm(request), request, response);
  else response.send(404, 'not found');
}

// What libraries say about their own age is of no use to a test.
process.removeAllListeners('warning');
console.warn = () => {};

const server = createServer((request, response) => {
  handle(request, response).catch((error) => response.end(String(error)));
});

server.listen(0, '127.0.0.1', () => {
  const input = createInterface({ input: process.stdin });
  input.on('line', (line) => {
    let reply;
    try {
      Object.assign(state, JSON.parse(line).set);
      reply = { port: server.address().port };
    } catch (error) {
      reply = { error: String(error) };
    }
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  });
  input.on('close', () => process.exit(0));
});
