import { expect, test } from 'vitest';
import { parseRoutes } from '../../../../../../src/host/engine/docker/networks/freeSubnet.ts';

const TABLE = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
far\t0005E70A\t010200C0\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0
rtbc552767d9339\t0000E70A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
`;

test('the networks that this machine is in are read from its routes, and none that are reached by a gateway', () => {
  expect(parseRoutes(TABLE)).toEqual([
    { address: 0x0a_e7_00_00, mask: 0xff_ff_ff_00 },
    { address: 0xac_11_00_00, mask: 0xff_ff_00_00 },
  ]);
});
