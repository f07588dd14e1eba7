import type { Owner } from '../../base/owner.ts';
import type { Parser } from './parser.ts';

/** The largest id; the one above it means "leave as it is" to the kernel. */
const most = 2 ** 32 - 2;

/** `1000`, `1000:1000`, `root`; `none`: whoever the runtime is. */
export const botUser: Parser<Owner | 'none'> = {
  expects: 'uid or uid:gid in digits, root, or none',
  parse: (text) => {
    if (text === 'none') return text;
    const [, uid = '', gid = uid] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(text === 'root' ? '0:0' : text) ?? [];
    if (uid === '' || Number(uid) > most || Number(gid) > most) return undefined;
    return { uid: Number(uid), gid: Number(gid) };
  },
};
