// The peer: `ws` on both sides, put together as its README says. It passes messages on, and stops reading while the other side does not
// take them. It asks nobody who they are, looks into nothing and counts nothing.
import { WebSocket, WebSocketServer } from 'ws';

const upstream = process.argv[2];
const options = { perMessageDeflate: false, maxPayload: 15 * 1024 * 1024 };
const kMostUnsent = 4 * 1024 * 1024;

function passOn(from, to) {
  from.on('message', (data, isBinary) => {
    to.send(data, { binary: isBinary }, () => { if (from.isPaused && to.bufferedAmount < kMostUnsent) from.resume(); });
    if (to.bufferedAmount >= kMostUnsent) from.pause();
  });
  const end = (code, reason) => (code === undefined || code === 1005 || code === 1006 ? to.terminate() : to.close(code, reason));
  from.on('close', end);
  from.on('error', () => to.terminate());
}

const server = new WebSocketServer({ ...options, host: '127.0.0.1', port: 0 });
server.on('connection', (client, request) => {
  const provider = new WebSocket(`ws://127.0.0.1:${upstream}${request.url}`, options);
  client.pause();
  provider.once('open', () => { passOn(client, provider); passOn(provider, client); client.resume(); });
  provider.once('error', () => client.terminate());
});
server.on('listening', () => console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })));
