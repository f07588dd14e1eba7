import * as v from 'valibot';
import { invalid } from './httpError.ts';

/** A body by its schema. Throws 400 with the first field that is wrong. */
export function readFields<Schema extends v.GenericSchema>(
  schema: Schema,
  body: Readonly<Record<string, unknown>>,
): v.InferOutput<Schema> {
  const read = v.safeParse(schema, body);
  if (read.success) return read.output;
  const [issue] = read.issues;
  throw invalid({ [v.getDotPath(issue) ?? 'body']: issue.message });
}
