// How long the offline agent takes for its first sound, asked straight and through the broker, in turns.
import { WebSocket } from 'ws';
import { start, startBroker, within } from './programs.mjs';

const turns = 21;
const model = 'gpt-realtime-2.1';

/** One conversation: its events, and asking for things. */
async function connect(url, token) {
  const socket = new WebSocket(url, { headers: { Authorization: `Bearer ${token}` }, perMessageDeflate: false });
  let [hears, fails] = [() => {}, () => {}];
  socket.on('message', (data) => hears(JSON.parse(data)));
  socket.on('close', () => fails(new Error('closed')));
  socket.on('error', (error) => fails(error));
  const until = (type) => within(20_000, type, new Promise((resolve, reject) => {
    hears = (event) => { if (event.type === type) resolve(); };
    fails = reject;
  }));
  await until('session.created');
  return { socket, until, say: (event) => socket.send(JSON.stringify(event)) };
}

async function ask({ until, say }, turn) {
  say({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: `what is ${turn} times 7` }] } });
  const since = performance.now();
  say({ type: 'response.create' });
  await until('response.output_audio.delta');
  const took = performance.now() - since;
  await until('response.done');
  return took;
}

export async function firstResponses(agentProgram, brokerProgram, folder) {
  const agent = start(agentProgram, ['--listen', '127.0.0.1:0', '--log-level', 'error']);
  let broker;
  try {
    const { port } = new URL((await agent.next()).url);
    broker = await startBroker(brokerProgram, folder, port);
    const [token] = await broker.tokens(1);
    const straight = await connect(`ws://127.0.0.1:${port}/v1/realtime?model=${model}`, 'any');
    const through = await connect(`ws://127.0.0.1:${broker.port}${broker.path}`, token);
    const [direct, relayed] = [[], []];
    for (let turn = 0; turn <= turns; ++turn) {
      const took = [await ask(straight, turn), await ask(through, turn)];
      // The first ones load voices.
      if (turn > 0) {
        direct.push(took[0]);
        relayed.push(took[1]);
      }
    }
    straight.socket.close();
    through.socket.close();
    return { direct, relayed };
  } finally {
    await broker?.stop();
    await agent.stop();
  }
}
