// Makes a certificate authority for this run, trusts it, and runs the tests: the SDKs insist on TLS, and Node.js reads
// NODE_EXTRA_CA_CERTS only when it starts.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'vivavoce-interop-'));
const openssl = (words) => execFileSync('openssl', words.split(' '), { cwd: folder, stdio: 'ignore' });
try {
  openssl('req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=interop-ca -keyout ca.key -out ca.pem');
  openssl('req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out request.pem');
  openssl('x509 -req -in request.pem -CA ca.pem -CAkey ca.key -days 2 -copy_extensions copy -out cert.pem');
  const tests = readdirSync('.').filter((name) => name.endsWith('.test.mjs'));
  const run = spawnSync(process.execPath, ['--test', '--test-concurrency=1', '--test-timeout=180000', ...process.argv.slice(2), ...tests], {
    stdio: 'inherit',
    env: { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'), VV_TLS_DIR: folder },
  });
  process.exitCode = run.status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}
