// A provider that says what it is told to, whoever listens, and keeps what it hears; and a broker that leads to it.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { within } from './offline_agent.mjs';

const kBytesPerMillisecond = 48; // PCM16 at 24 kHz
const kTone = Buffer.alloc(500 * kBytesPerMillisecond);
for (let i = 0; i < kTone.length / 2; ++i) kTone.writeInt16LE(Math.round(6000 * Math.sin(i / 10)), 2 * i);

/** So much of a tone. */
export function tone(ms) {
  const bytes = Buffer.alloc(ms * kBytesPerMillisecond);
  for (let at = 0; at < bytes.length; at += kTone.length) kTone.copy(bytes, at);
  return bytes;
}

export class ScriptedProvider {
  /** What the client has sent, but for its sound. */
  heard = [];
  #heardMs = 0;
  #taken = 0;
  #waiting = [];
  #events = 0;

  /** `play` is what it does once the session is set up. */
  static async start(play) {
    const provider = new ScriptedProvider();
    provider.server = createServer((request, response) => provider.#broker(request, response));
    provider.sockets = new WebSocketServer({ server: provider.server });
    await new Promise((resolve) => provider.server.listen(0, '127.0.0.1', resolve));
    const { port } = provider.server.address();
    provider.brokerURL = `http://127.0.0.1:${port}`;
    provider.socketURL = `ws://127.0.0.1:${port}/v1/realtime?model=gpt-realtime`;
    provider.played = new Promise((resolve, reject) => {
      provider.sockets.once('connection', (socket) => {
        provider.socket = socket;
        socket.on('message', (data) => provider.#hear(JSON.parse(data)));
        provider.say('session.created', { session: { type: 'realtime', id: 'sess_1', object: 'realtime.session' } });
        provider.until('session.update').then(() => play(provider)).then(() => provider.settled()).then(resolve, reject);
      });
    });
    provider.played.catch(() => {}); // Whoever waits for it is told.
    return provider;
  }
  stop() {
    this.server.close();
    this.socket?.terminate();
    this.server.closeAllConnections();
  }

  say(type, more = {}) { this.socket.send(JSON.stringify({ type, event_id: `event_${++this.#events}`, ...more })); }
  /** The next thing of that type that the client says. */
  until(type) {
    const find = () => {
      for (; this.#taken < this.heard.length; ++this.#taken) {
        if (this.heard[this.#taken].type === type) return this.heard[this.#taken++];
      }
      return undefined;
    };
    return this.#wait(type, find);
  }
  /** So much sound from now on. */
  sound(ms) {
    const end = this.#heardMs + ms;
    return this.#wait(`${ms} ms of sound`, () => this.#heardMs >= end);
  }
  /** The client has heard all of it, and said what it had to say to that. */
  settled() {
    const around = () => new Promise((resolve) => { this.socket.once('pong', resolve); this.socket.ping(); });
    return within(10_000, 'a pong', around().then(around));
  }

  /** A turn of speech, from the first sound to its transcript. */
  async turn(id) {
    await this.sound(200);
    this.say('input_audio_buffer.speech_started', { item_id: id, audio_start_ms: 0 });
    await this.sound(500);
    this.say('input_audio_buffer.speech_stopped', { item_id: id, audio_end_ms: 700 });
    this.say('input_audio_buffer.committed', { item_id: id, previous_item_id: null });
    this.added({ id, type: 'message', role: 'user', status: 'completed', content: [{ type: 'input_audio', transcript: null }] });
    this.say('conversation.item.input_audio_transcription.completed', { item_id: id, content_index: 0, transcript: 'What time is it?', usage: { type: 'duration', seconds: 1 } });
  }
  added(item) { this.say('conversation.item.added', { previous_item_id: null, item }); this.say('conversation.item.done', { previous_item_id: null, item }); }
  /** A spoken reply up to its end, which may be a long way off. */
  begin(id, ms) {
    this.say('response.created', { response: { id: `resp_${id}`, object: 'realtime.response', status: 'in_progress', output: [] } });
    const at = { response_id: `resp_${id}`, item_id: `item_${id}`, output_index: 0 };
    this.say('response.output_item.added', { ...at, item: { id: at.item_id, object: 'realtime.item', type: 'message', role: 'assistant', status: 'in_progress', content: [] } });
    this.say('response.output_audio_transcript.delta', { ...at, content_index: 0, delta: 'It is noon.' });
    for (let left = ms; left > 0; left -= 500) {
      this.say('response.output_audio.delta', { ...at, content_index: 0, delta: tone(Math.min(left, 500)).toString('base64') });
    }
  }
  end(id, status = 'completed') {
    const at = { response_id: `resp_${id}`, item_id: `item_${id}`, output_index: 0 };
    const item = { id: at.item_id, object: 'realtime.item', type: 'message', role: 'assistant', status: status === 'completed' ? status : 'incomplete',
      content: [{ type: 'output_audio', transcript: 'It is noon.' }] };
    this.say('response.output_audio.done', { ...at, content_index: 0 });
    this.say('response.output_audio_transcript.done', { ...at, content_index: 0, transcript: 'It is noon.' });
    this.say('response.output_item.done', { ...at, item });
    this.#done(id, status, [item]);
  }
  /** A reply that is a function call. */
  call(id, name, args) {
    const item = { id: `item_${id}`, object: 'realtime.item', type: 'function_call', status: 'completed', call_id: `call_${id}`, name, arguments: JSON.stringify(args) };
    this.say('response.created', { response: { id: `resp_${id}`, object: 'realtime.response', status: 'in_progress', output: [] } });
    this.say('response.output_item.added', { response_id: `resp_${id}`, output_index: 0, item: { ...item, status: 'in_progress', arguments: '' } });
    this.say('response.function_call_arguments.done', { response_id: `resp_${id}`, item_id: item.id, output_index: 0, call_id: item.call_id, name, arguments: item.arguments });
    this.say('response.output_item.done', { response_id: `resp_${id}`, output_index: 0, item });
    this.#done(id, 'completed', [item]);
  }

  #done(id, status, output) {
    this.say('response.done', { response: { id: `resp_${id}`, object: 'realtime.response', status, output,
      status_details: status === 'completed' ? null : { type: status, reason: 'turn_detected' },
      usage: { total_tokens: 2, input_tokens: 1, output_tokens: 1 } } });
  }
  #wait(what, find) {
    const found = find();
    if (found) return Promise.resolve(found);
    return within(20_000, what, new Promise((resolve) => this.#waiting.push({ find, resolve })))
      .catch((error) => { error.message += `; heard: ${this.heard.map((event) => event.type).join(', ')}`; throw error; });
  }
  #hear(event) {
    if (event.type === 'input_audio_buffer.append') this.#heardMs += Buffer.from(event.audio, 'base64').length / kBytesPerMillisecond;
    else this.heard.push(event);
    if (event.type === 'session.update') this.say('session.updated', { session: { id: 'sess_1', object: 'realtime.session', ...event.session } });
    if (event.type === 'conversation.item.create') this.added({ id: `item_of_${this.heard.length}`, status: 'completed', ...event.item });
    this.#waiting = this.#waiting.filter(({ find, resolve }) => {
      const found = find();
      if (found) resolve(found);
      return !found;
    });
  }
  #broker(request, response) {
    request.resume();
    const isMint = request.url === '/api/voice-agent/token';
    response.writeHead(isMint ? 200 : 404, { 'Content-Type': 'application/json' });
    const inSeconds = (seconds) => new Date(Date.now() + 1000 * seconds).toISOString().replace(/\.\d+/, '');
    response.end(JSON.stringify(!isMint ? { title: 'Not Found', status: 404, code: 'not_found' } : {
      token: 'ek_of_the_script', tokenType: 'Bearer', sessionId: 'voice_1_script', expiresIn: 600, expiresAt: inSeconds(600), refreshAfter: inSeconds(570),
      provider: 'openai', model: 'gpt-realtime', transport: 'direct', limits: {},
      connect: { url: this.socketURL, auth: 'bearer', dialect: 'openai-ga', audio: { encoding: 'pcm16', rate: 24000 } } }));
  }
}
