import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inCluster } from '../../../../src/host/kubernetes/inCluster.ts';
import { readKubeconfig } from '../../../../src/host/kubernetes/kubeconfig.ts';
import { temporaryDirectory } from '../../../support/files/temporary.ts';

const signal = () => AbortSignal.timeout(30_000);

function config(user: string, cluster = '') {
  return `apiVersion: v1
current-context: test
contexts: [{name: other, context: {cluster: no, user: no}}, {name: test, context: {cluster: c, user: u, namespace: bots}}]
clusters: [{name: c, cluster: {server: "https://127.0.0.1:6443/", certificate-authority-data: ${Buffer.from('CA').toString('base64')}${cluster}}}]
users: [{name: u, user: {${user}}}]
`;
}

async function written(text: string): Promise<string> {
  const path = join(await temporaryDirectory(), 'config');
  writeFileSync(path, text);
  return path;
}

test('the current context with a token', async () => {
  const access = readKubeconfig(await written(config('token: t1')), {}, () => 0);
  expect(access).toMatchObject({ server: 'https://127.0.0.1:6443', namespace: 'bots', tls: { ca: 'CA' } });
  expect((await access.token(false, signal()))?.reveal()).toBe('t1');
});

test('a client certificate, from files beside the kubeconfig', async () => {
  const path = await written(config('client-certificate: cert.pem, client-key: key.pem'));
  writeFileSync(join(path, '../cert.pem'), 'CERT');
  writeFileSync(join(path, '../key.pem'), 'KEY');
  const { client } = readKubeconfig(path, {}, () => 0).tls;
  expect([client?.cert, client?.key.reveal()]).toEqual(['CERT', 'KEY']);
});

test('a program that gives tokens is asked again when one expires or was not accepted', async () => {
  const path = await written(
    config(
      'exec: {apiVersion: client.authentication.k8s.io/v1, command: ./give, args: [x], env: [{name: A, value: b}]}',
    ),
  );
  const give = join(path, '../give');
  writeFileSync(
    give,
    `#!/bin/sh
n=$(($(cat "$0.count" 2>/dev/null || echo 0) + 1)); echo $n >"$0.count"
printf '{"status":{"token":"%s-%s-%s","expirationTimestamp":"1970-01-01T00:10:00Z"}}' $n "$1" "$A"
`,
  );
  chmodSync(give, 0o755);
  let now = 0;
  const { token } = readKubeconfig(path, { PATH: process.env.PATH }, () => now);
  const text = async (anew: boolean) => (await token(anew, signal()))?.reveal();
  expect(await text(false)).toBe('1-x-b');
  expect(await text(false)).toBe('1-x-b');
  expect(await text(true)).toBe('2-x-b');
  now = 550_000;
  expect(await text(false)).toBe('3-x-b');
});

test.each([
  ['users: 7', /not a kubeconfig: current-context/],
  [config('token: t').replace('user: u,', 'user: v,'), /there is no user "v"/],
  ['{', /config: /],
])('what is wrong is said: %#', async (text, message) => {
  const path = await written(text);
  expect(() => readKubeconfig(path, {}, () => 0)).toThrow(message);
});

test('in a pod, the service account; its token is read again', async () => {
  const folder = await temporaryDirectory();
  for (const [name, text] of Object.entries({ 'ca.crt': 'CA', namespace: 'bots\n', token: 't1\n' }))
    writeFileSync(join(folder, name), text);
  const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };
  let now = 0;
  const access = inCluster(env, () => now, folder)!;
  expect(access).toMatchObject({ server: 'https://10.96.0.1:443', namespace: 'bots' });
  const text = async (anew = false) => (await access.token(anew, signal()))?.reveal();
  expect(await text()).toBe('t1');
  writeFileSync(join(folder, 'token'), 't2');
  expect(await text()).toBe('t1');
  now = 60_000;
  expect(await text()).toBe('t2');
  writeFileSync(join(folder, 'token'), 't3');
  expect(await text(true)).toBe('t3');
  expect(inCluster({}, () => 0, folder)).toBeUndefined();
});
