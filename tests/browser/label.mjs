// Labels: the page that `drag-solver label` serves, opened by the link that it prints.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DESKTOP, Operator, PHONE } from './page.mjs';

const SIZE = [300, 200];
const DRAGS = { 'a.png': [[45, 110], [220, 110]], 'b.png': [[100, 50], [200, 150]] };

// Starts the command. Says where its page is, by what key it opens, and what it prints on standard error.
async function started(folder, ...options) {
  const args = ['label', join(folder, 'shots'), '--output', join(folder, 'labels.jsonl'), '--test-pictures', ...options];
  const child = spawn(process.env.DRAG_SOLVER, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const self = { process: child, log: '' };
  process.once('exit', () => child.kill('SIGKILL')); // a check that fails leaves nothing running
  self.ended = new Promise((resolve) => child.once('exit', resolve));
  child.stderr.on('data', (data) => { self.log += data; });
  const link = await new Promise((resolve) => child.stdout.once('data', (data) => resolve(`${data}`.trim())));
  [self.url, self.path] = [new URL(link).origin, link.slice(new URL(link).origin.length)];
  self.keys = { you: new URLSearchParams(new URL(link).hash.slice(1)).get('key') };
  return self;
}

export const checks = {
  async 'labels: a link signs in, each answer is in the file, and the page says when it is over'(gateway) {
    const { folder } = gateway;
    mkdirSync(join(folder, 'shots'));
    Object.keys(DRAGS).forEach((name, seed) => writeFileSync(join(folder, 'shots', name), gateway.drawn(seed, '300x200')));
    const label = await started(folder);
    const op = await Operator.open(label, label.path, DESKTOP);
    assert.equal(await op.page.evaluate(() => location.href), `${label.url}/operator`, 'the key is gone from the address');
    await op.ready(SIZE);
    assert.equal(await op.text('time-text'), 'Take your time');
    assert.equal(await op.text('more'), '1 more waiting');
    await op.mouse([10, 10], [100, 100]);
    await op.send();
    await op.page.click('#undo');
    await op.page.reload();
    await op.ready(SIZE);
    await op.mouse(...DRAGS['a.png']);
    await op.send();
    await op.page.waitForFunction(() => document.getElementById('more').textContent === '');
    await op.ready(SIZE);
    await op.mouse(...DRAGS['b.png']);
    await op.send();
    await op.page.waitForFunction(() => document.getElementById('waiting-title').textContent === 'This session has ended');
    await op.axe('it is over');
    assert.equal(await op.page.locator('#sign-out').isVisible(), false);
    assert.equal(await label.ended, 0, label.log);
    const kept = await op.page.evaluate(() => [localStorage, sessionStorage].map((storage) => Object.values(storage).join(' ')).join(' '));
    assert(!kept.includes(label.keys.you), 'the key is forgotten');
    const lines = readFileSync(join(folder, 'labels.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
    assert.deepEqual(lines.map((line) => line.screenshot), ['shots/a.png', 'shots/b.png']);
    for (const { screenshot, start, end } of lines) {
      const [from, to] = DRAGS[screenshot.slice('shots/'.length)];
      const off = Math.max(Math.abs(start.x - from[0]), Math.abs(start.y - from[1]), Math.abs(end.x - to[0]), Math.abs(end.y - to[1]));
      assert(off <= 1, `${off} px off: ${screenshot}`);
    }
    assert(!label.log.includes(label.keys.you));
    await op.close();
  },

  async 'labels: after Ctrl-C the page says that it is over, on a phone in Vietnamese'(gateway) {
    const { folder } = gateway;
    mkdirSync(join(folder, 'shots'));
    writeFileSync(join(folder, 'shots', 'a.png'), gateway.drawn(1, '300x200'));
    const label = await started(folder);
    const op = await Operator.open(label, label.path, { ...PHONE, locale: 'vi-VN' });
    await op.ready(SIZE);
    label.process.kill('SIGINT');
    await op.page.waitForFunction(() => document.getElementById('waiting-title').textContent === 'Phiên làm việc đã kết thúc');
    await op.noSideways('it is over');
    assert.equal(await label.ended, 130, label.log);
    await op.close();
  },
};
