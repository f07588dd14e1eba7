/** What the runtime itself sets in a bot's container, or what would be loaded into it there, may not be set by a bot. */
const reserved =
  /^(LD_|NODE_|MINIO_|AWS_|RUNTIME_|STORE_|BOT_|CODE_|STATE_|LOGS_|QUERY_|KINDS_|ENTRYPOINT|RUNTIME$|RUN_TIME$|TASK$|START_TIMEOUT$|STOP_TIMEOUT$|MAX_|SYNC_|PATH$)/;

export const isReserved = (variable: string): boolean => reserved.test(variable);
