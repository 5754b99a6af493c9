// The real vivavoce-broker with a service account and a stand-in for the provider, for tests that ask it things.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { within } from './offline_agent.mjs';

const program = join(process.env.VV_BIN_DIR, 'vivavoce-broker');

/** Mints at once, whoever asks for whatever. */
export async function startProvider() {
  let minted = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => {
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ value: `ek_${++minted}`, expires_at: Math.trunc(Date.now() / 1000) + 60 }));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

/** `more` are lines of its file before the first table, `limits` members of that one; `provider` those of the provider's, else a stand-in. */
export async function startBroker({ more = '', limits = '', provider: theirs } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'vivavoce-broker-'));
  const provider = theirs ? { stop() {} } : await startProvider();
  const { key, keyHash } = JSON.parse(execFileSync(program, ['service-key', 'tester'], { encoding: 'utf8' }));
  writeFileSync(join(folder, 'broker.toml'), `
listen = "127.0.0.1:0"
audit = { folder = "${folder}/audit" }
database = { url = "sqlite://${folder}/broker.db" }
secret = "${randomBytes(32).toString('base64url')}"
provider = { ${theirs ?? `url = "${provider.url}"`} }
limits = { ${limits} }
${more}
[[service_accounts]]
name = "tester"
key_hash = "${keyHash}"
scopes = ["voice:mint", "voice:session", "voice:admin"]
`);
  const child = spawn(program, ['--config', join(folder, 'broker.toml'), '--log-level', 'error'],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, OPENAI_API_KEY: 'the-stand-in-takes-any' } });
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  const url = await within(30_000, 'the ready line of vivavoce-broker', new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line).url));
    child.once('exit', (code) => reject(new Error(`vivavoce-broker ended with ${code}`)));
  }));
  return {
    url, key, database: join(folder, 'broker.db'),
    isRunning: () => child.exitCode === null && child.signalCode === null,
    /** How it ended. */
    async stop() {
      child.kill();
      const end = await ended;
      provider.stop();
      rmSync(folder, { recursive: true });
      return end;
    },
  };
}
