import { systemClock } from '../../../src/base/clock.ts';
import { Secret } from '../../../src/base/secret.ts';
import { createShipper } from '../../../src/bot/logs/ship/createShipper.ts';
import { openS3Store } from '../../../src/store/s3/s3.ts';

/** A process that ships as the daemon does until it is killed: `ENDPOINT ACCESS_KEY SECRET_KEY BUCKET DIR`. */
const [endpoint = '', accessKey = '', secretKey = '', bucket = '', dir = ''] = process.argv.slice(2);
const store = openS3Store({
  endpoint,
  region: 'us-east-1',
  accessKey: new Secret(accessKey),
  secretKey: new Secret(secretKey),
  sessionToken: undefined,
  bucket,
  createBucket: true,
});
const shipper = createShipper({ store, bot: 'bot', dir });
for (;;) {
  await shipper.ship();
  await systemClock.sleep(5);
}
