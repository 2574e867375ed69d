// What happens around an operator: others, networks, restarts, deadlines.

import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { png } from './pictures.mjs';
import { Operator } from './page.mjs';

const SIZE = [300, 200];
const DRAG = [[45, 110], [220, 110]];

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

export const checks = {
  async 'two operators never get the same challenge'(gateway) {
    const anna = await Operator.signedIn(gateway);
    const ben = await Operator.signedIn(gateway, { key: gateway.keys.ben });
    const drags = [DRAG, [[100, 50], [200, 150]]];
    const first = await anna.gateway.create(gateway.drawn(1, '300x200'));
    await pause(0.5);
    const second = await anna.gateway.create(gateway.drawn(2, '300x200'));
    await Promise.all([anna.ready(SIZE), ben.ready(SIZE)]);
    await anna.mouse(...drags[0]);
    await ben.mouse(...drags[1]);
    await anna.send();
    await ben.send();
    await anna.answered(first, drags[0]);
    await ben.answered(second, drags[1]);
    await anna.close();
    await ben.close();
  },

  async 'an operator who closes the page gives it back'(gateway) {
    const anna = await Operator.signedIn(gateway);
    const id = await anna.asked(gateway.drawn(1, '300x200'), SIZE);
    const ben = await Operator.signedIn(gateway, { key: gateway.keys.ben });
    const closed = Date.now();
    await anna.page.close({ runBeforeUnload: true });
    await ben.ready(SIZE);
    assert(Date.now() - closed < 5000, 'at once, and not when the lease is over');
    await ben.mouse(...DRAG);
    await ben.send();
    await ben.answered(id, DRAG);
    await ben.close();
    await anna.context.close();
  },

  async 'two tabs of one operator are two places'(gateway) {
    const anna = await Operator.signedIn(gateway);
    const other = await anna.context.newPage();
    await other.goto(`${gateway.url}/operator`);
    await other.fill('#key', gateway.keys.anna);
    await other.click('#sign-in-button');
    await other.locator('#view-waiting').waitFor();
    await anna.gateway.create(gateway.drawn(1, '300x200'));
    await pause(1);
    const shown = [await anna.page.locator('#view-work').isVisible(), await other.locator('#view-work').isVisible()];
    assert.equal(shown.filter(Boolean).length, 1, 'one of them has it');
    await anna.close();
  },

  async 'after the gateway was killed the challenge is still there, with the marks'(gateway) {
    const op = await Operator.signedIn(gateway);
    const id = await op.asked(gateway.drawn(1, '300x200'), SIZE);
    await op.mouse(...DRAG);
    const before = await op.page.locator('#mark-end').getAttribute('aria-valuetext');
    await gateway.kill();
    await op.page.waitForFunction(() => document.getElementById('status').dataset.state !== 'on');
    assert(await op.page.locator('#picture').isVisible(), 'the picture stays on the screen');
    await gateway.run();
    await op.page.waitForFunction(() => document.getElementById('status').dataset.state === 'on');
    await op.page.waitForFunction(() => !document.getElementById('send').disabled);
    assert.equal(await op.page.locator('#mark-end').getAttribute('aria-valuetext'), before);
    await op.send();
    await op.answered(id, DRAG);
    op.problems = op.problems.filter((problem) => !problem.includes('ERR_CONNECTION'));
    await op.close();
  },

  async 'an answer that could still be undone when the gateway was killed is asked again, and bought once'(gateway) {
    const op = await Operator.signedIn(gateway);
    const id = await op.asked(gateway.drawn(1, '300x200'), SIZE);
    await op.mouse(...DRAG);
    await op.send();
    await op.page.locator('#undo').waitFor();
    await gateway.kill();
    await gateway.run();
    await op.ready(SIZE);
    const again = [[50, 60], [200, 150]];
    await op.page.keyboard.press('Escape');
    await op.mouse(...again);
    await op.send();
    await op.answered(id, again);
    const told = await gateway.result(id);
    assert.equal(told.spent_usd, '0.01');
    await op.close();
  },

  async 'a deadline that passes while dragging'(gateway) {
    const op = await Operator.signedIn(gateway);
    const id = await op.asked(gateway.drawn(1, '300x200'), SIZE, { deadline: 4 });
    await op.mouse(...DRAG, { lift: false });
    await op.idle();
    assert.match(await op.text('notice-text'), /too late|time|over/i);
    await op.page.mouse.up();
    const told = await gateway.result(id);
    assert.equal(told.error.kind, 'deadline_exceeded', JSON.stringify(told));
    const next = await op.asked(gateway.drawn(2, '300x200'), SIZE);
    await op.mouse(...DRAG);
    await op.send();
    await op.answered(next, DRAG);
    await op.close();
  },

  async 'a picture of 4 MB over a slow network'(gateway) {
    const pixels = randomFillSync(Buffer.alloc(1180 * 1180 * 3));
    const picture = png(1180, 1180, pixels);
    assert(picture.length > 4_000_000);
    const op = await Operator.signedIn(gateway);
    const cdp = await op.context.newCDPSession(op.page);
    const network = { offline: false, latency: 300, downloadThroughput: 1_000_000, uploadThroughput: 100_000 };
    await cdp.send('Network.emulateNetworkConditions', network);
    const id = await op.gateway.create(picture);
    await op.page.locator('#view-work').waitFor();
    assert(await op.page.locator('#veil').isVisible(), 'it says that the picture comes');
    await op.ready([1180, 1180]);
    const drag = [[100, 200], [1100, 900]];
    await op.mouse(...drag);
    await op.send();
    await op.answered(id, drag);
    await op.close();
  },
};
