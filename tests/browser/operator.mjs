// What an operator does: drags, corrections, keys, practice, languages.

import assert from 'node:assert/strict';
import { DESKTOP, Operator, PHONE } from './page.mjs';

const SIZES = { phone: [591, 1280], small: [300, 200], tall: [1080, 2400] };
const DRAGS = {
  phone: [[83, 560], [372, 560]],
  small: [[45, 110], [220, 110]],
  tall: [[180, 1500], [760, 1180]],
};

const picture = (gateway, kind, seed = 1) => gateway.drawn(seed, SIZES[kind].join('x'));

async function exact(gateway, options, way) {
  const op = await Operator.signedIn(gateway, options);
  const answers = [];
  for (const [kind, drag] of Object.entries(DRAGS)) {
    answers.push([await op.asked(picture(gateway, kind), SIZES[kind]), drag]);
    await op[way](...drag);
    await op.send();
    await op.idle();
  }
  for (const [id, drag] of answers) await op.answered(id, drag);
  await op.close();
}

export const checks = {};

for (const deviceScaleFactor of [1, 2, 3]) {
  checks[`mouse, device pixel ratio ${deviceScaleFactor}`] = (gateway) => exact(gateway, { ...DESKTOP, deviceScaleFactor }, 'mouse');
  checks[`finger, device pixel ratio ${deviceScaleFactor}`] = (gateway) => exact(gateway, { ...PHONE, deviceScaleFactor }, 'finger');
}

Object.assign(checks, {
  async 'pen'(gateway) {
    await exact(gateway, DESKTOP, 'pen');
  },

  async 'finger, a phone held sideways'(gateway) {
    await exact(gateway, { ...PHONE, viewport: { width: 640, height: 360 }, deviceScaleFactor: 2 }, 'finger');
  },

  async 'a page that is zoomed and scrolled'(gateway) {
    const op = await Operator.signedIn(gateway, { viewport: { width: 900, height: 300 } });
    const id = await op.asked(picture(gateway, 'small'), SIZES.small);
    await op.page.evaluate(() => {
      document.documentElement.style.zoom = '1.5';
    });
    await op.page.waitForFunction(() => Math.round(getComputedStyle(document.documentElement).zoom * 10) === 15);
    await op.page.locator('#board').evaluate((board) => board.scrollIntoView({ block: 'center' }));
    assert((await op.page.evaluate(() => scrollY)) > 0, 'the page is scrolled');
    await op.mouse(...DRAGS.small);
    await op.page.keyboard.press('Enter');
    await op.answered(id, DRAGS.small);
    await op.close();
  },

  async 'start and end can be corrected before sending'(gateway) {
    const op = await Operator.signedIn(gateway);
    const id = await op.asked(picture(gateway, 'phone'), SIZES.phone);
    await op.mouse([83, 560], [300, 600]);
    await op.mouse([300, 600], [372, 560]);
    await op.mouse([83, 560], [90, 700]);
    await op.send();
    await op.answered(id, [[90, 700], [372, 560]]);
    await op.close();
  },

  async 'a drag that leaves the picture ends on it'(gateway) {
    const op = await Operator.signedIn(gateway);
    const id = await op.asked(picture(gateway, 'small'), SIZES.small);
    await op.mouse([45, 110], [330, -20]);
    await op.send();
    await op.answered(id, [[45, 110], [299, 0]]);
    await op.close();
  },

  async 'keyboard alone'(gateway) {
    const op = await Operator.open(gateway, '/operator');
    const { page } = op;
    const press = async (...keys) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    await page.keyboard.type(gateway.keys.anna);
    await press('Enter');
    await op.idle();
    const id = await op.asked(picture(gateway, 'phone'), SIZES.phone);
    await press('Tab', 'ArrowRight');
    assert(await page.locator('#loupe').isVisible(), 'the loupe is at the mark');
    await press('Shift+ArrowLeft', 'Shift+ArrowLeft', 'ArrowUp', 'ArrowRight');
    await press('Tab', 'ArrowDown', 'Shift+ArrowDown', 'ArrowRight', 'Enter');
    await page.locator('#undo').waitFor();
    await press('Control+z');
    await op.ready(SIZES.phone);
    assert.equal(await page.locator('#mark-end').getAttribute('aria-valuetext'), 'x 278, y 649', 'the marks are back');
    await press('Enter');
    await op.answered(id, [[277, 639], [278, 649]], 0.01);
    await op.close();
  },

  async 'skip, and undo of it'(gateway) {
    const op = await Operator.signedIn(gateway);
    const id = await op.asked(picture(gateway, 'small'), SIZES.small);
    await op.page.click('#skip');
    await op.page.click('#undo');
    await op.ready(SIZES.small);
    await op.page.click('#skip');
    const told = await gateway.result(id);
    assert.equal(told.error.kind, 'unsolvable', JSON.stringify(told));
    await op.close();
  },

  async 'practice shows the error and keeps a score'(gateway) {
    const op = await Operator.signedIn(gateway);
    const { page } = op;
    await page.click('#practise');
    await op.ready([1, 1]);
    await op.mouse([0.2, 0.4], [0.7, 0.5]);
    await op.send();
    await page.locator('#next').waitFor();
    assert.match(await op.text('instruction'), /^Start \d+\.\d px off, end \d+\.\d px off, in \d+\.\d s\.$/);
    assert.equal(await op.text('score-count'), '1');
    await op.axe('a result of practice');
    const id = await op.asked(picture(gateway, 'small'), SIZES.small);
    await page.waitForFunction(() => document.title.startsWith('(1)'));
    await page.locator('#skip').click();
    await gateway.result(id);
    await op.close();
  },

  async 'signing in and out, and what a tab keeps'(gateway) {
    const op = await Operator.open(gateway, '/operator');
    const { page } = op;
    for (const key of ['wrong', gateway.keys.shop, 'khóa ế']) {
      await page.fill('#key', key);
      await page.click('#sign-in-button');
      await page.waitForFunction(() => /not an operator/.test(document.getElementById('sign-in-message').textContent));
    }
    await op.signIn(gateway.keys.anna);
    const kept = () => page.evaluate(() => [localStorage, sessionStorage].map((storage) => Object.values(storage).join(' ')));
    let [local, session] = await kept();
    assert(!local.includes(gateway.keys.anna) && session.includes(gateway.keys.anna), 'for this tab only');
    await page.reload();
    await op.idle();
    await page.click('#sign-out');
    await page.locator('#view-sign-in').waitFor();
    [local, session] = await kept();
    assert(!`${local} ${session}`.includes(gateway.keys.anna), 'the key is forgotten');
    await page.check('#remember');
    await op.signIn(gateway.keys.anna);
    [local] = await kept();
    assert(local.includes(gateway.keys.anna), 'kept on this device, as asked');
    await op.close();
  },

  async 'English and Vietnamese'(gateway) {
    const op = await Operator.signedIn(gateway, { locale: 'vi-VN' });
    const lang = () => op.page.evaluate(() => document.documentElement.lang);
    assert.equal(await lang(), 'vi');
    await op.page.click('#language');
    assert.equal(await lang(), 'en');
    await op.page.reload();
    await op.idle();
    assert.equal(await lang(), 'en', 'it is remembered');
    await op.close();
  },

  async 'axe finds nothing, and nothing scrolls sideways'(gateway) {
    let seed = 0;
    for (const colorScheme of ['light', 'dark']) {
      for (const [device, options] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
        const locale = colorScheme === 'light' ? 'en-US' : 'vi-VN';
        const op = await Operator.open(gateway, '/operator', { ...options, colorScheme, locale });
        const look = async (state) => {
          await op.axe(`${state}, ${colorScheme}, ${device}`);
          await op.noSideways(`${state}, ${device}`);
        };
        await look('signing in');
        await op.page.fill('#key', 'wrong');
        await op.page.click('#sign-in-button');
        await op.page.waitForFunction(() => document.getElementById('sign-in-message').textContent !== '');
        await look('a wrong key');
        await op.signIn(gateway.keys.anna);
        await look('waiting');
        const instruction = 'Kéo mảnh ghép màu xanh vào đúng chỗ trống ở phía bên phải của bức ảnh. '.repeat(3);
        const region = { x: 10, y: 20, width: 250, height: 150 };
        seed += 1;
        const id = await op.asked(picture(gateway, 'small', seed), SIZES.small, { instruction, region });
        await look('a challenge');
        await op[device === 'phone' ? 'finger' : 'mouse'](...DRAGS.small);
        await look('marks are set');
        await op.send();
        await look('it can be undone');
        await gateway.result(id);
        await op.close();
      }
    }
  },

  async '200 pictures, each within a pixel of where the pointer was let go'(gateway) {
    const op = await Operator.signedIn(gateway, { deviceScaleFactor: 2 });
    let seed = 12345;
    const random = (below) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor((seed / 2147483648) * below);
    };
    let worst = 0;
    for (let n = 0; n < 200; n += 1) {
      const size = [150 + random(400), 150 + random(600)];
      const drag = [0, 1].map(() => [5 + random(size[0] - 10), 5 + random(size[1] - 10)]);
      if (Math.hypot(drag[0][0] - drag[1][0], drag[0][1] - drag[1][1]) < 20) continue;
      const id = await op.asked(gateway.drawn(n, size.join('x')), size);
      await op.mouse(...drag);
      await op.send();
      op.answers ??= [];
      op.answers.push([id, drag]);
      await op.idle();
    }
    for (const [id, [from, to]] of op.answers) {
      const { drag } = await gateway.result(id);
      worst = Math.max(worst, ...[drag.start.x - from[0], drag.start.y - from[1], drag.end.x - to[0], drag.end.y - to[1]].map(Math.abs));
    }
    console.log(`      ${op.answers.length} pictures, at most ${worst.toFixed(2)} px off`);
    assert(worst <= 1);
    await op.close();
  },
});
