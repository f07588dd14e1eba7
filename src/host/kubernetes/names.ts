import { createHash } from 'node:crypto';

const LONGEST = 63;

/**
 * A name that Kubernetes takes, of a bot's id, which may have capitals, dots, and more characters. Two ids never have the same: what
 * does not fit as it is ends in a hash of the id.
 */
export function objectName(prefix: string, bot: string): string {
  const whole = `${prefix}${bot}`;
  if (
    whole.length <= LONGEST &&
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(whole) &&
    !/-[0-9a-f]{10}$/.test(whole)
  )
    return whole;
  const hash = createHash('sha256').update(bot).digest('hex').slice(0, 10);
  const readable = whole
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, LONGEST - 11)
    .replace(/-+$/, '');
  return `${readable}-${hash}`;
}
