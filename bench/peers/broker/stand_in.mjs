// The provider and the issuer of both, in a process of its own: mints at once, and publishes one key.
import { createServer } from 'node:http';

const jwk = JSON.parse(process.argv[2]);
let minted = 0;
const server = createServer((request, response) => {
  const url = `http://127.0.0.1:${server.address().port}`;
  const documents = {
    '/.well-known/openid-configuration': () => ({ issuer: url, jwks_uri: `${url}/keys` }),
    '/keys': () => ({ keys: [jwk] }),
    '/v1/realtime/client_secrets': () => ({ value: `ek_${++minted}`, expires_at: Math.trunc(Date.now() / 1000) + 60 }),
  };
  request.resume();
  request.once('end', () => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(documents[request.url]?.() ?? {}));
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })));
