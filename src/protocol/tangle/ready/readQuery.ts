/** A request for a sandbox in an address: `?cpuCores=1&memoryMB=512&tools=exec,files&domains=203.0.113.0/24&driver=docker`. */
export function readQuery(query: URLSearchParams): Readonly<Record<string, unknown>> {
  const list = (name: string) =>
    query.has(name)
      ? query.getAll(name).flatMap((text) => text.split(',').filter((one) => one !== ''))
      : undefined;
  const number = (name: string) => (query.get(name) ? Number(query.get(name)) : undefined);
  const text = (name: string) => query.get(name) ?? undefined;
  const domains = list('domains');
  return {
    image: text('image'),
    resources: { cpuCores: number('cpuCores'), memoryMB: number('memoryMB'), diskGB: number('diskGB') },
    maxLifetimeSeconds: number('maxLifetimeSeconds'),
    idleTimeoutSeconds: number('idleTimeoutSeconds'),
    capabilities: list('tools'),
    files: list('files'),
    secrets: list('secrets'),
    driver: query.has('driver') ? { type: text('driver') } : undefined,
    backend: query.has('backend') ? { type: text('backend') } : undefined,
    egressPolicy:
      domains !== undefined || query.has('egress')
        ? { mode: text('egress') ?? 'strict', allowDomains: domains }
        : undefined,
  };
}
