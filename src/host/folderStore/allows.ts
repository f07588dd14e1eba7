import { isObject, parseJson } from '../../bot/config/parsers.ts';

export interface Asked {
  /** `s3:GetObject` */
  readonly action: string;
  readonly bucket: string;
  /** Undefined: the bucket itself. */
  readonly key: string | undefined;
  /** Of a listing. */
  readonly prefix?: string;
}

/**
 * Whether a policy allows this. Of the language of policies what `credentials/botPolicy` writes: statements that allow, lists of actions and
 * resources with `*`, and `StringLike` on the prefix of a listing. A statement with anything else in it allows nothing.
 */
export function allows(policy: string | undefined, { action, bucket, key, prefix }: Asked): boolean {
  if (policy === undefined) return true;
  const parsed = parseJson(policy);
  const statements = isObject(parsed) && Array.isArray(parsed.Statement) ? parsed.Statement : [];
  const resource = `arn:aws:s3:::${bucket}${key === undefined ? '' : `/${key}`}`;
  return statements.some((statement: unknown) => {
    if (!isObject(statement)) return false;
    const { Effect, Action, Resource, Condition, ...others } = statement;
    if (Effect !== 'Allow' || Object.keys(others).length > 0) return false;
    if (!texts(Action).includes(action)) return false;
    if (!texts(Resource).some((pattern) => isLike(pattern, resource))) return false;
    if (Condition === undefined) return true;
    const prefixes = isObject(Condition) && isObject(Condition.StringLike) ? Condition.StringLike : {};
    const isKnown =
      Object.keys(Condition as object).length === 1 && Object.keys(prefixes).join() === 's3:prefix';
    return isKnown && texts(prefixes['s3:prefix']).some((pattern) => isLike(pattern, prefix ?? ''));
  });
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function isLike(pattern: string, text: string): boolean {
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${escaped}$`, 's').test(text);
}
