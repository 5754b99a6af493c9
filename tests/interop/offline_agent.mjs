// The real vivavoce-agent, speech for it, and waiting for what it says with a deadline.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const kModel = 'gpt-realtime';
const kBytesPerMillisecond = 48; // PCM16 at 24 kHz

export async function startAgent() {
  const tls = process.env.VV_TLS_DIR;
  const child = spawn(join(process.env.VV_BIN_DIR, 'vivavoce-agent'),
    ['--listen', '127.0.0.1:0', '--tls-cert', join(tls, 'cert.pem'), '--tls-key', join(tls, 'key.pem')],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await within(30_000, 'the ready line of the agent', new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the agent ended with ${code}`)));
  }));
  const { event, url } = JSON.parse(line);
  if (event !== 'listening') throw new Error(`not a ready line: ${line}`);
  const port = new URL(url).port;
  return {
    baseURL: `https://localhost:${port}/v1`,
    socketURL: `wss://localhost:${port}/v1/realtime?model=${kModel}`,
    stop: () => within(10_000, 'the end of the agent', new Promise((resolve) => {
      if (child.exitCode !== null) resolve();
      child.once('exit', resolve);
      child.kill();
    })),
  };
}

/** A sentence as PCM16 at 24 kHz, with the silence of somebody who waits for the answer. */
export function speech(text, silenceMs = 1200) {
  const folder = mkdtempSync(join(tmpdir(), 'vivavoce-speech-'));
  try {
    const wav = join(folder, 'x.wav');
    const raw = join(folder, 'x.raw');
    execFileSync('flite', ['-voice', 'slt', '-t', text, '-o', wav]);
    execFileSync('sox', [wav, '-t', 'raw', '-r', '24000', '-c', '1', '-b', '16', '-e', 'signed-integer', raw]);
    return Buffer.concat([readFileSync(raw), Buffer.alloc(silenceMs * kBytesPerMillisecond)]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** 100 ms pieces, as a microphone would bring them; the agent counts time by the sound, not by the clock. */
export function* pieces(pcm) {
  const size = 100 * kBytesPerMillisecond;
  for (let at = 0; at < pcm.length; at += size) yield pcm.subarray(at, at + size);
}

export function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Keeps every event and waits for those that match, past ones included. */
export class Events {
  all = [];
  #waiting = [];
  push(event) {
    this.all.push(event);
    this.#waiting = this.#waiting.filter(({ matches, resolve }) => !(matches(event) && (resolve(event), true)));
  }
  next(what, matches, ms = 20_000) {
    const test = typeof matches === 'string' ? (event) => event.type === matches : matches;
    const past = this.all.find((event) => !event.taken && test(event));
    const found = past ? Promise.resolve(past) : new Promise((resolve) => this.#waiting.push({ matches: test, resolve }));
    return within(ms, what, found).then((event) => { event.taken = true; return event; }, (error) => {
      error.message += `; came: ${this.all.map((event) => event.type).slice(-25).join(', ')}`;
      throw error;
    });
  }
}
