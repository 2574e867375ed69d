// A browser, and an operator who sits at the page.

import assert from 'node:assert/strict';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';

export const DESKTOP = { viewport: { width: 1280, height: 800 } };
export const PHONE = { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true };

let browser;

export async function newContext(options) {
  browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
  return browser.newContext({ ...DESKTOP, locale: 'en-US', ...options });
}

export async function closeBrowser() {
  await browser?.close();
}

// A page of the gateway; what goes wrong in it is kept, and what it sends.
export class Page {
  static async open(gateway, path, options) {
    const self = new this();
    self.gateway = gateway;
    self.context = await newContext(options);
    self.page = await self.context.newPage();
    self.page.setDefaultTimeout(15_000);
    self.problems = [];
    self.urls = [];
    self.page.on('console', (message) => {
      if (/Content Security Policy|Refused/.test(message.text())) self.problems.push(message.text());
    });
    self.page.on('pageerror', (error) => self.problems.push(`${error}`));
    self.page.on('request', (request) => self.urls.push(request.url()));
    await self.page.goto(`${gateway.url}${path}`);
    return self;
  }

  text(id) {
    return this.page.locator(`#${id}`).textContent();
  }

  async axe(state) {
    const { violations } = await new AxeBuilder({ page: this.page }).analyze();
    const told = violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target).join(' ')}`);
    assert.deepEqual(told, [], `axe, ${state}`);
  }

  async noSideways(state) {
    const isWide = await this.page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    assert(!isWide, `the page scrolls sideways: ${state}`);
  }

  // Whatever was done, nothing was loaded from elsewhere, and no key was in an address or stands in the page.
  async close() {
    const { url, keys } = this.gateway;
    assert.deepEqual(this.problems, []);
    const shown = await this.page.content();
    for (const [who, key] of Object.entries(keys)) assert(!shown.includes(key), `the key of ${who} stands in the page`);
    for (const asked of this.urls) {
      assert(asked.startsWith(`${url}/`) || asked.startsWith(`blob:${url}/`), `asks elsewhere: ${asked}`);
      for (const key of Object.values(keys)) assert(!asked.includes(key), `a key is in an address: ${asked.replaceAll(key, 'KEY')}`);
    }
    await this.context.close();
  }
}

export class Operator extends Page {
  static async signedIn(gateway, options = {}) {
    const self = await this.open(gateway, '/operator', options);
    await self.signIn(options.key ?? gateway.keys.anna);
    return self;
  }

  async signIn(key) {
    await this.page.fill('#key', key);
    await this.page.click('#sign-in-button');
    await this.page.locator('#view-waiting:visible, #view-work:visible').first().waitFor();
  }

  // Lets a client ask, and waits until the picture is on the screen. Says the id of the job.
  async asked(picture, size, options) {
    const id = await this.gateway.create(picture, options);
    await this.ready(size);
    return id;
  }

  async ready(size) {
    this.size = size;
    await this.page.locator('#view-work').waitFor();
    await this.page.waitForFunction(() => document.getElementById('veil').hidden && document.getElementById('picture').naturalWidth > 0);
  }

  async idle() {
    await this.page.locator('#view-waiting').waitFor();
  }

  // Where on the screen a pixel of the picture is.
  async at([x, y]) {
    const box = await this.page.locator('#board').evaluate((board) => {
      const { left, top, width, height } = board.getBoundingClientRect();
      return { left, top, width, height };
    });
    return { x: box.left + (x / this.size[0]) * box.width, y: box.top + (y / this.size[1]) * box.height };
  }

  async mouse(from, to, { lift = true } = {}) {
    const [a, b] = [await this.at(from), await this.at(to)];
    const { mouse } = this.page;
    await mouse.move(a.x, a.y);
    await mouse.down();
    await mouse.move((a.x + b.x) / 2, (a.y + b.y) / 2 + 10, { steps: 3 });
    await mouse.move(b.x, b.y, { steps: 3 });
    if (lift) await mouse.up();
  }

  async finger(from, to) {
    const [a, b] = [await this.at(from), await this.at(to)];
    const cdp = await this.context.newCDPSession(this.page);
    const touch = (type, ...touchPoints) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints });
    await touch('touchStart', a);
    for (let k = 1; k <= 5; k += 1) await touch('touchMove', { x: a.x + ((b.x - a.x) * k) / 5, y: a.y + ((b.y - a.y) * k) / 5 });
    await touch('touchEnd');
    await cdp.detach();
  }

  async pen(from, to) {
    const [a, b] = [await this.at(from), await this.at(to)];
    const cdp = await this.context.newCDPSession(this.page);
    const pen = (type, { x, y }, buttons) =>
      cdp.send('Input.dispatchMouseEvent', { type, x, y, button: 'left', buttons, clickCount: 1, pointerType: 'pen', force: 0.5 });
    await pen('mousePressed', a, 1);
    for (let k = 1; k <= 5; k += 1) await pen('mouseMoved', { x: a.x + ((b.x - a.x) * k) / 5, y: a.y + ((b.y - a.y) * k) / 5 }, 1);
    await pen('mouseReleased', b, 0);
    await cdp.detach();
  }

  async send() {
    await this.page.click('#send');
  }

  // The answer that the client of this job gets is within so many pixels of this drag.
  async answered(id, [from, to], slack = 1) {
    const told = await this.gateway.result(id);
    assert.equal(told.status, 'solved', JSON.stringify(told));
    const { start, end } = told.drag;
    const off = Math.max(Math.abs(start.x - from[0]), Math.abs(start.y - from[1]), Math.abs(end.x - to[0]), Math.abs(end.y - to[1]));
    assert(off <= slack, `${off.toFixed(3)} px off: ${JSON.stringify(told.drag)}, and not ${from} -> ${to}`);
  }
}
