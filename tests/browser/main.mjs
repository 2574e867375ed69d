// Runs all checks, one after the other, and says which failed.

import { Gateway } from './gateway.mjs';
import { closeBrowser } from './page.mjs';
import { checks as operator } from './operator.mjs';
import { checks as working } from './working.mjs';
import { checks as hostile } from './hostile.mjs';
import { checks as admin } from './admin.mjs';
import { checks as label } from './label.mjs';

const wanted = process.env.ONLY ?? '';
const all = Object.entries({ ...operator, ...working, ...hostile, ...admin, ...label }).filter(([name]) => name.includes(wanted));
if (all.length === 0) throw new Error(`no check has ${wanted} in its name`);

let failed = 0;
for (const [name, check] of all) {
  const gateway = await Gateway.start();
  const begun = Date.now();
  try {
    await check(gateway);
    console.log(`ok    ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${name}\n${error.stack}\n-- the gateway's log\n${gateway.log.slice(-3000)}`);
  } finally {
    await gateway.stop();
  }
  for (const [who, key] of Object.entries(gateway.keys)) {
    if (gateway.log.includes(key)) {
      failed += 1;
      console.log(`FAILED ${name}: the key of ${who} is in the log`);
    }
  }
}
await closeBrowser();
console.log(`${all.length - failed} of ${all.length} checks passed`);
process.exit(failed === 0 ? 0 : 1);
