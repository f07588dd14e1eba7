import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate for 127.0.0.1 that nobody vouches for, made by openssl(1) for this one test. */
export function selfSigned(): { readonly key: string; readonly cert: string } {
  const dir = mkdtempSync(join(tmpdir(), 'certificate-'));
  const file = (name: string) => join(dir, name);
  try {
    const request = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
    ];
    const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const files = ['-keyout', file('key'), '-out', file('cert')];
    execFileSync('openssl', [...request, ...names, ...files], { stdio: 'ignore' });
    return { key: readFileSync(file('key'), 'utf8'), cert: readFileSync(file('cert'), 'utf8') };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
