import { expect, test } from 'vitest';
import { pluginEnvironment } from '../../../../src/protocol/gestalt/pluginEnvironment.ts';

test('a plugin has what gestaltd gave it, value by value, and nothing of the provider', () => {
  const env = {
    GREETING: 'two\nlines "quoted" $c',
    EMPTY: '',
    GESTALT_RUNTIME_LOG_SOCKET: 'tcp://127.0.0.1:9000',
    GESTALT_PLUGIN_PARENT_PID: '12',
    GESTALT_APP_PARENT_PID: '12',
    GESTALT_HOST_SERVICE_TLS_CA_FILE: '/somewhere/ca.pem',
  };
  expect(pluginEnvironment({ pluginName: 'echo', env, bindings: {}, relays: [] })).toEqual({
    GREETING: env.GREETING,
    EMPTY: '',
    GESTALT_RUNTIME_LOG_SOCKET: 'tcp://127.0.0.1:9000',
    GESTALT_HOST_SERVICE_TLS_CA_FILE: '/run/gestalt-ca.pem',
    GESTALT_PLUGIN_SOCKET: '/run/gestalt/plugin.sock',
    GESTALT_PLUGIN_NAME: 'echo',
    // As the SDKs since June 2026 want to have it.
    GESTALT_PROVIDER_SOCKET: '/run/gestalt/plugin.sock',
    GESTALT_APP_NAME: 'echo',
  });
});
