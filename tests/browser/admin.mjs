// What an administrator sees.

import assert from 'node:assert/strict';
import { DESKTOP, Operator, Page, PHONE } from './page.mjs';

const SIZE = [300, 200];
const DRAG = [[45, 110], [220, 110]];

class Admin extends Page {
  static async signedIn(gateway, options = {}) {
    const self = await this.open(gateway, '/', options);
    await self.page.fill('#key', options.key ?? gateway.keys.boss);
    await self.page.click('#sign-in-button');
    return self;
  }

  async shows(text) {
    await this.page.getByText(text).first().waitFor();
  }
}

export const checks = {
  async 'an administrator sees a job, who has it, and what came of it'(gateway) {
    const admin = await Admin.signedIn(gateway);
    await admin.shows('person');
    const op = await Operator.signedIn(gateway);
    const id = await op.asked(gateway.drawn(1, '300x200'), SIZE);
    await admin.page.getByText(id).first().waitFor();
    await op.mouse(...DRAG);
    await op.send();
    await op.answered(id, DRAG);
    await admin.page.getByText('$0.01').first().waitFor();
    await op.close();
    await admin.close();
  },

  async 'only an administrator is let in'(gateway) {
    for (const key of [gateway.keys.shop, gateway.keys.anna, 'wrong']) {
      const admin = await Admin.signedIn(gateway, { key });
      await admin.page.waitForFunction(() => document.getElementById('sign-in-message').textContent !== '');
      assert(await admin.page.locator('#key').isVisible());
      await admin.close();
    }
  },

  async 'axe finds nothing on the administrator’s page'(gateway) {
    const op = await Operator.signedIn(gateway);
    const id = await op.asked(gateway.drawn(1, '300x200'), SIZE);
    await op.mouse(...DRAG);
    await op.send();
    await op.answered(id, DRAG);
    await gateway.create(gateway.drawn(2, '300x200'));
    for (const colorScheme of ['light', 'dark']) {
      for (const [device, options] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
        const admin = await Admin.open(gateway, '/', { ...options, colorScheme });
        await admin.axe(`signing in, ${colorScheme}, ${device}`);
        await admin.page.fill('#key', gateway.keys.boss);
        await admin.page.click('#sign-in-button');
        await admin.shows('person');
        await admin.axe(`${colorScheme}, ${device}`);
        await admin.noSideways(`${colorScheme}, ${device}`);
        await admin.close();
      }
    }
    await op.close();
  },
};
