// Challenges and pages that mean no good.

import assert from 'node:assert/strict';
import { newContext, Operator } from './page.mjs';

const SIZE = [300, 200];

export const checks = {
  async 'an instruction with HTML is text'(gateway) {
    const op = await Operator.signedIn(gateway);
    let dialogs = 0;
    op.page.on('dialog', (dialog) => {
      dialogs += 1;
      dialog.dismiss();
    });
    const instruction = '<img src=x onerror=alert(1)><script>alert(2)</script>\u202e<b>drag</b>';
    const id = await op.asked(gateway.drawn(1, '300x200'), SIZE, { instruction });
    assert((await op.text('instruction')).includes('<script>alert(2)</script>'));
    assert.equal(await op.page.locator('#instruction img, #instruction script, #instruction b').count(), 0);
    await op.page.click('#skip');
    await gateway.result(id);
    assert.equal(dialogs, 0);
    await op.close();
  },

  async 'a picture that is an SVG or a page is refused before anybody sees it'(gateway) {
    for (const text of ['<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', '<!doctype html><script>alert(1)</script>']) {
      await assert.rejects(gateway.create(Buffer.from(text)), /^Error: 4\d\d/);
    }
  },

  async 'a page without a key shows nothing, and another site gets nothing'(gateway) {
    const context = await newContext();
    const page = await context.newPage();
    for (const path of ['/operator', '/']) {
      await page.goto(`${gateway.url}${path}`);
      await page.waitForLoadState('networkidle');
      assert(await page.locator('#key').isVisible());
    }
    // The same machine under another name is another site.
    await page.goto(`http://localhost:${gateway.port}/operator`);
    const outcome = await page.evaluate(async ([url, key]) => {
      try {
        const response = await fetch(`${url}/operator/practice/1`, { headers: { authorization: `Bearer ${key}` } });
        return `${response.status}`;
      } catch (error) {
        return `${error}`;
      }
    }, [gateway.url, gateway.keys.anna]);
    assert.match(outcome, /TypeError|403/, 'the browser or the server refuses it');
    const direct = await fetch(`${gateway.url}/operator/practice/1`, {
      headers: { authorization: `Bearer ${gateway.keys.anna}`, origin: 'https://evil.example' },
    });
    assert.equal(direct.status, 403);
    await context.close();
  },

  async 'no page can be framed, and scripts are its own'(gateway) {
    for (const path of ['/operator', '/']) {
      const { headers } = await fetch(`${gateway.url}${path}`);
      const policy = headers.get('content-security-policy');
      for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"]) assert(policy.includes(rule), policy);
    }
  },
};
