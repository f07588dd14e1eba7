import { isRuntimeError, RuntimeError, systemCode } from '../../base/errors.ts';

/** Certificates do not mend themselves within a start; neither does a port that speaks another protocol. */
const certificate = /CERT|^ERR_TLS|^UNABLE_TO_/;
const protocol = /^(EPROTO|ERR_SSL|HPE_)/;

/** An error of the connection's, as the store's caller sees it. */
export function networkError(error: unknown, op: string, path: string): RuntimeError {
  if (isRuntimeError(error)) return error;
  const code = systemCode(error) ?? (error instanceof Error ? error.name : 'unknown error');
  const details = { op, path, cause: error };
  if (certificate.test(code))
    return new RuntimeError('unavailable', `${path}: its certificate is not accepted (${code})`, {
      ...details,
      hint: 'Give a readable file with the certificate of the authority in SSL_CERT_FILE, AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS, or check MINIO_ENDPOINT.',
    });
  if (protocol.test(code))
    return new RuntimeError('unavailable', `${path}: no such protocol there (${code})`, {
      ...details,
      hint: 'Check MINIO_ENDPOINT and MINIO_USE_SSL: one side speaks TLS and the other does not.',
    });
  return new RuntimeError('unavailable', `${path}: ${code}`, {
    ...details,
    retryable: true,
    hint: 'Check MINIO_ENDPOINT, and that the store is up and can be reached from here.',
  });
}

/** `what`: `connecting took longer than 5 s`. */
export function timeoutError(what: string): Error {
  return Object.assign(new Error(what), { code: 'ETIMEDOUT' });
}

/**
 * Whether a connection is of no further use after such an answer. Who refuses may do so by the head of the request: the body that is still to come
 * would be taken for the next request, which is then never answered, or answered as if it were the body.
 */
export function mayBeUnread(body: unknown, status: number | undefined): boolean {
  return body !== undefined && (status ?? 0) >= 300;
}

/** Where an answer is to begin, on a connection that was good before, there is something else: what is left of an earlier one. */
export function strayBytes(cause: unknown): Error {
  return Object.assign(new Error('something else than the answer', { cause }), { code: 'EBADMSG' });
}
