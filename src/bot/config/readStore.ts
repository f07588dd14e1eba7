import { fileURLToPath } from 'node:url';
import { Secret } from '../../base/secret.ts';
import { type Renewal, readSealedKeys, type StoreKeys } from '../../store/s3/renewedKeys.ts';
import type { StoreConfig } from '../../store/storeConfig.ts';
import { parseOrigin } from './endpoint.ts';
import { quote, type VariableReader } from './variableReader.ts';

/** Which store, and how to reach it. `optional`: none may be configured at all. */
export function readStore(reader: VariableReader, optional: boolean): StoreConfig {
  const store = whichStore(reader, optional);
  const authorities = reader.text('AWS_CA_BUNDLE') ?? reader.text('SSL_CERT_FILE');
  const hasTls = store.type === 's3' || store.type === 'aws';
  return hasTls && authorities !== undefined ? { ...store, authorities } : store;
}

function whichStore(reader: VariableReader, optional: boolean): StoreConfig {
  const none: StoreConfig = { type: 'none' };
  const url = reader.text('STORE_URL');
  if (url === undefined) {
    if (usesMinio(reader)) return readMinio(reader) ?? none;
    if (!optional) {
      reader.problem(
        'no store: expected STORE_URL (file:///path or s3://) or MINIO_ENDPOINT (host:port) to be set',
      );
    }
    return none;
  }
  if (/^s3:(\/\/)?$/.test(url)) return (usesMinio(reader) ? readMinio(reader) : readAws(reader)) ?? none;
  const path = filePath(url);
  if (path !== undefined) return { type: 'file', path };
  const buckets = url.startsWith('s3:') ? '; buckets are named by MINIO_*_BUCKET' : '';
  reader.problem(`STORE_URL=${quote(url)} is not valid, expected file:///path or s3://${buckets}`);
  return none;
}

const minioVariables = ['MINIO_ENDPOINT', 'MINIO_ACCESS_KEY', 'MINIO_SECRET_KEY'] as const;

function usesMinio(reader: VariableReader): boolean {
  if (reader.has('MINIO_KEYS_FILE')) return true;
  return minioVariables.some((name) => reader.hasSecret(name));
}

function readMinio(reader: VariableReader): StoreConfig | undefined {
  const ssl = reader.read('MINIO_USE_SSL');
  const endpoint = reader.readAs('MINIO_ENDPOINT', {
    expects: 'host:port, or http://host:port or https://host:port',
    parse: (text) => parseOrigin(text, ssl ? 'https' : 'http'),
  });
  // The other way round, HTTPS without MINIO_USE_SSL, nothing is sent in the clear.
  if (ssl && endpoint?.startsWith('http:')) {
    reader.problem(`MINIO_ENDPOINT=${quote(endpoint)} and MINIO_USE_SSL=true contradict each other`);
  }
  if (!reader.has('MINIO_ENDPOINT')) reader.missing('MINIO_ENDPOINT');
  const file = reader.read('MINIO_KEYS_FILE');
  const keys = file === undefined ? readKeys(reader) : readSealed(reader, file);
  if (endpoint === undefined || keys === undefined) return undefined;
  return { type: 's3', endpoint, region: reader.read('MINIO_REGION'), ...keys };
}

function readKeys(reader: VariableReader): (StoreKeys & { renewal: Renewal | undefined }) | undefined {
  const accessKey = reader.secret('MINIO_ACCESS_KEY');
  const secretKey = reader.secret('MINIO_SECRET_KEY');
  for (const name of ['MINIO_ACCESS_KEY', 'MINIO_SECRET_KEY'] as const) {
    if (!reader.hasSecret(name)) reader.missing(name);
  }
  if (accessKey === undefined || secretKey === undefined) return undefined;
  const isFile = reader.has('MINIO_ACCESS_KEY_FILE') || reader.has('MINIO_SECRET_KEY_FILE');
  // Secrets that are mounted as files are replaced while we run.
  const renewal = isFile ? () => readKeys(reader.again()) : undefined;
  return { accessKey, secretKey, sessionToken: undefined, renewal };
}

/** Keys that a host hands out and renews: see `host/credentials`. */
function readSealed(reader: VariableReader, file: string): (StoreKeys & { renewal: Renewal }) | undefined {
  const seal = reader.secret('MINIO_KEYS_SEAL');
  if (seal === undefined) {
    if (!reader.has('MINIO_KEYS_SEAL_FILE')) reader.missing('MINIO_KEYS_SEAL');
    return undefined;
  }
  const renewal = { file, seal };
  const keys = readSealedKeys(renewal);
  if (keys) return { ...keys, renewal };
  reader.problem(`MINIO_KEYS_FILE=${quote(file)} has no keys that MINIO_KEYS_SEAL opens`);
  return undefined;
}

/**
 * Static keys in the environment need no credential chain, so the lean client will do. A profile, an endpoint below a path or a
 * missing key is left to the AWS SDK.
 */
function readAws(reader: VariableReader): StoreConfig | undefined {
  const address = reader.text('AWS_ENDPOINT_URL_S3') ?? reader.text('AWS_ENDPOINT_URL');
  const region = reader.text('AWS_REGION') ?? reader.text('AWS_DEFAULT_REGION');
  const origin = address === undefined ? undefined : parseOrigin(address, undefined);
  if (address !== undefined && !URL.canParse(address)) {
    reader.problem(`AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL=${quote(address)} is not valid, expected a URL`);
    return undefined;
  }
  const accessKey = secretOf(reader, 'AWS_ACCESS_KEY_ID');
  const secretKey = secretOf(reader, 'AWS_SECRET_ACCESS_KEY');
  const endpoint = origin ?? (address === undefined && region !== undefined ? awsOrigin(region) : undefined);
  if (!accessKey || !secretKey || !endpoint || reader.has('AWS_PROFILE')) {
    return { type: 'aws', endpoint: address, region };
  }
  const sessionToken = secretOf(reader, 'AWS_SESSION_TOKEN');
  return { type: 's3', endpoint, region: region ?? 'us-east-1', accessKey, secretKey, sessionToken };
}

function secretOf(reader: VariableReader, name: string): Secret | undefined {
  const text = reader.text(name);
  return text === undefined ? undefined : new Secret(text);
}

function awsOrigin(region: string): string {
  return `https://s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}

function filePath(url: string): string | undefined {
  if (!/^file:\/\/\/./.test(url)) return undefined;
  try {
    const path = fileURLToPath(url).replace(/(?<=.)\/+$/, '');
    return path.includes('\0') || /[?#]/.test(url) ? undefined : path;
  } catch {
    return undefined;
  }
}
