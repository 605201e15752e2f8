// A real SCIM 2.0 service (SCIMMY) for the end-to-end tests, on loopback: it is filled and changed
// as identity providers do it, by its own protocol. What it keeps is in memory.
// SPDX-License-Identifier: PostgreSQL
//
// Prints its port in one line; ends with its standard input.
import { randomUUID } from 'node:crypto';
import express from 'express';
import SCIMMY from 'scimmy';
import SCIMMYRouters from 'scimmy-routers';

function keep(Resource) {
  const kept = new Map();
  SCIMMY.Resources.declare(Resource)
    .ingress((resource, data) => {
      const id = resource.id ?? randomUUID();
      kept.set(id, { ...data, id });
      return kept.get(id);
    })
    .egress((resource) => {
      if (!resource.id) return [...kept.values()];
      if (!kept.has(resource.id)) throw new SCIMMY.Types.Error(404, null, `no ${resource.id} here`);
      return kept.get(resource.id);
    })
    .degress((resource) => { kept.delete(resource.id); });
}

keep(SCIMMY.Resources.User);
keep(SCIMMY.Resources.Group);

const server = express()
  .use('/scim/v2', new SCIMMYRouters({
    type: 'bearer',
    handler: (request) => {
      if (request.header('Authorization') !== 'Bearer scim-secret') throw new Error('who is that?');
      return 'the tests';
    },
  }))
  .listen(0, '127.0.0.1', () => console.log(server.address().port));

process.stdin.on('end', () => process.exit()).resume();
