import { isWithin } from './isWithin.ts';
import { isNamed } from './pattern.ts';
import type { PolicyRequest, Rules, Violation } from './policy.ts';

/** Everything that is wrong with a request: none, and it is allowed. Of the two values alone: it asks and changes nothing. */
export function evaluate(request: PolicyRequest, rules: Rules): Violation[] {
  return [
    ...tools(request, rules),
    ...domains(request, rules),
    ...names(request, rules),
    ...sizes(request, rules),
  ];
}

function tools({ tools: asked = [] }: PolicyRequest, { tools: allowed }: Rules): Violation[] {
  return asked
    .filter((tool) => !allowed.includes(tool))
    .map((tool) => violation('tools', `the tool ${tool}`, tool, allowed));
}

function domains({ egress, unenforceable }: PolicyRequest, rules: Rules): Violation[] {
  const beyond = unenforceable.map(
    (message): Violation => ({ rule: 'domains', message, asked: message, allowed: rules.egress }),
  );
  if (egress === undefined || isWithin(egress, rules.egress)) return beyond;
  const asked = typeof egress === 'string' ? egress : egress.join(', ');
  return [...beyond, violation('domains', `a network to ${asked}`, asked, rules.egress)];
}

function names(request: PolicyRequest, rules: Rules): Violation[] {
  const { provider, image, agent, code } = request;
  const found: Violation[] = [];
  for (const path of request.files)
    if (!isFileOpen(path, rules.files)) found.push(violation('files', `the file ${path}`, path, rules.files));
  for (const name of request.secrets)
    if (!isNamed(rules.secrets, name))
      found.push(violation('secrets', `the secret ${name}`, name, rules.secrets));
  if (provider !== undefined && !rules.providers.includes(provider))
    found.push(violation('provider', `the driver ${provider}`, provider, rules.providers));
  if (agent !== undefined && !isNamed(rules.agents, agent))
    found.push(violation('provider', `an agent of kind ${agent}`, agent, rules.agents));
  if (code !== undefined && !isNamed(rules.code, code))
    found.push(violation('code', `the code ${code}`, code, rules.code));
  if (image !== undefined && !isNamed(rules.images, image))
    found.push(violation('image', `the image ${image}`, image, rules.images));
  return found;
}

/** By the field of the rules: what it is called, and what its unit holds. */
const measured = [
  ['cpuMillis', 'cpuCores', 1000],
  ['memoryBytes', 'memoryMB', 2 ** 20],
  ['diskBytes', 'diskGB', 2 ** 30],
  ['lifetimeMs', 'maxLifetimeSeconds', 1000],
  ['idleMs', 'idleTimeoutSeconds', 1000],
] as const;

function sizes(request: PolicyRequest, { resources }: Rules): Violation[] {
  return measured.flatMap(([field, name, unit]) => {
    const [asked, most] = [request[field], resources[field]];
    if (asked === undefined || asked <= most) return [];
    return [
      violation('resources', `${name} ${round(asked / unit)}`, round(asked / unit), round(most / unit)),
    ];
  });
}

/** Whether this absolute path, `..` resolved before, lies in one of the folders. */
export function isFileOpen(path: string, folders: readonly string[] | undefined): boolean {
  if (folders === undefined) return true;
  return folders.some((folder) => folder === '/' || path === folder || path.startsWith(`${folder}/`));
}

function violation(
  rule: Violation['rule'],
  what: string,
  asked: string | number,
  allowed: unknown,
): Violation {
  const said = Array.isArray(allowed) ? allowed.join(', ') || 'nothing' : String(allowed);
  return { rule, message: `${what} is not allowed; allowed: ${said}`, asked, allowed };
}

const round = (value: number) => Math.round(value * 1000) / 1000;
