// npm's `@openai/agents-realtime`: a whole voice agent over its WebSocket transport.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime';
import { z } from 'zod';
import { Events, kModel, pieces, speech, startAgent } from './offline_agent.mjs';

let agent;
before(async () => { agent = await startAgent(); });
after(() => agent?.stop());

/** A session with a tool, and all that its transport hears. */
async function converse(tools = []) {
  const session = new RealtimeSession(new RealtimeAgent({ name: 'Voice', instructions: 'Be brief.', tools }), {
    model: kModel,
    transport: new OpenAIRealtimeWebSocket({ url: agent.socketURL }),
    config: { audio: { input: { transcription: { model: 'gpt-transcribe' }, turnDetection: { type: 'server_vad', silenceDurationMs: 500 } } } },
    tracingDisabled: true,
  });
  const events = new Events();
  session.transport.on('*', (event) => events.push(event));
  session.on('audio', (event) => events.push({ type: 'test.audio', bytes: event.data.byteLength }));
  session.on('audio_interrupted', () => events.push({ type: 'test.interrupted' }));
  session.on('error', (error) => events.push({ type: 'test.error', error }));
  await session.connect({ apiKey: 'any-key', url: agent.socketURL });
  return { session, events };
}

function say(session, text) {
  for (const piece of pieces(speech(text))) {
    session.sendAudio(piece.buffer.slice(piece.byteOffset, piece.byteOffset + piece.length));
  }
}

test('a spoken question is answered by voice', async () => {
  const { session, events } = await converse();
  say(session, 'what is twelve times seven');
  const { response } = await events.next('the reply', 'response.done');
  assert.equal(response.status, 'completed');
  assert.match(response.output[0].content[0].transcript, /eighty.four|84/i);
  const bytes = events.all.filter((event) => event.type === 'test.audio').reduce((sum, event) => sum + event.bytes, 0);
  assert.ok(bytes > 24_000, `${bytes} bytes of sound`);
  assert.deepEqual(events.all.filter((event) => event.type === 'test.error'), []);
  session.close();
});

test('a tool of the application runs, and its result is spoken', async () => {
  const calls = [];
  const { session, events } = await converse([tool({
    name: 'get_weather', description: 'Tells the weather of a city', parameters: z.object({ city: z.string() }),
    execute: async ({ city }) => { calls.push(city.toLowerCase()); return `It is sunny in ${city}.`; },
  })]);
  say(session, 'what is the weather in london');
  const { response } = await events.next('the spoken result', (event) => event.type === 'response.done'
    && event.response.output.some((item) => item.type === 'message'));
  assert.deepEqual(calls, ['london']);
  assert.match(response.output[0].content[0].transcript, /sunny/i);
  session.close();
});

test('speaking over the reply interrupts it', async () => {
  const { session, events } = await converse();
  session.sendMessage(`say ${'the quick brown fox jumps over the lazy dog and '.repeat(12)}stops`);
  await events.next('the first sound', 'test.audio');
  say(session, 'what time is it');
  await events.next('the interruption', 'test.interrupted');
  await events.next('the answer', (event) => event.type === 'response.done' && event.response.status === 'completed'
    && /it is/i.test(event.response.output[0]?.content?.[0]?.transcript ?? ''));
  session.close();
});
