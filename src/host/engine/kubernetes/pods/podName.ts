import { hash } from 'node:crypto';
import { objectName } from '../../../kubernetes/names.ts';

/** The pod of an instance. */
export function podName(name: string): string {
  return objectName('', name);
}

const isValue = /^(?=.{1,63}$)[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/;

/** Text as the value of a label, by which pods are found: itself, or a hash. */
export function labelValue(text: string): string {
  return isValue.test(text) && !/^h-[0-9a-f]{12}$/.test(text)
    ? text
    : `h-${hash('sha256', text).slice(0, 12)}`;
}
