// A gateway of the tests: `drag-solver serve` with a chain that asks people, in a folder of its own.

import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BINARY = process.env.DRAG_SOLVER;

const CHAIN = `
[[providers]]
kind = "person"
price = "0.01"
when_absent = "wait"
`;

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export class Gateway {
  static async start(chain = CHAIN) {
    const self = new Gateway();
    self.folder = mkdtempSync(join(tmpdir(), 'drag-solver-browser-'));
    self.store = join(self.folder, 'drags.db');
    self.log = '';
    writeFileSync(join(self.folder, 'chain.toml'), chain);
    const key = (...args) => execFileSync(BINARY, ['keys', 'add', ...args, '--store', self.store, '--quiet'], { encoding: 'utf8' }).trim();
    self.keys = { anna: key('anna', '--operator'), ben: key('ben', '--operator'), shop: key('shop', '--per-day', '5'), boss: key('boss', '--admin') };
    self.port = await freePort();
    self.url = `http://127.0.0.1:${self.port}`;
    await self.run();
    return self;
  }

  async run() {
    const args = ['serve', '--config', join(this.folder, 'chain.toml'), '--store', this.store, '--listen', `127.0.0.1:${this.port}`];
    this.process = spawn(BINARY, [...args, '-vv'], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (data) => { this.log += data; });
    for (let tries = 0; tries < 300; tries += 1) {
      const ready = await fetch(`${this.url}/readyz`).then((response) => response.ok, () => false);
      if (ready) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`the gateway does not come up:\n${this.log}`);
  }

  // As a machine does that loses its power.
  async kill() {
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGKILL');
    await ended;
  }

  async stop() {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  // Creates a job of this picture, and says its id.
  async create(picture, { instruction, region, deadline } = {}) {
    const body = JSON.stringify({ image: picture.toString('base64'), instruction, region, deadline });
    const headers = { authorization: `Bearer ${this.keys.shop}`, 'content-type': 'application/json' };
    const response = await fetch(`${this.url}/v1/drags?wait=0`, { method: 'POST', headers, body });
    const text = await response.text();
    if (response.status !== 202) throw new Error(`${response.status} ${text}`);
    return JSON.parse(text).id;
  }

  // What came of a job, as soon as it has ended.
  async result(id) {
    const headers = { authorization: `Bearer ${this.keys.shop}` };
    const response = await fetch(`${this.url}/v1/drags/${id}?wait=20`, { headers });
    return response.json();
  }

  // A test picture and its true drag.
  drawn(seed, size) {
    const out = join(this.folder, `${seed}-${size}.png`);
    execFileSync(BINARY, ['challenge', '--seed', `${seed}`, '--size', size, '--out', out, '--quiet']);
    return readFileSync(out);
  }
}
