import { evaluate } from '../../../host/sandboxes/policy/evaluate.ts';
import { emptyRequest, type Rules } from '../../../host/sandboxes/policy/policy.ts';
import { refuse } from '../sandboxes/admission.ts';
import { absolutePath } from './workspace.ts';

/** Holds a call about one file, named as clients do, to the folders of a policy. Throws 403. */
export function checkFile(file: string, rules: Rules): void {
  refuse(evaluate({ ...emptyRequest, files: [absolutePath(file)] }, rules));
}
