/** Where the query server of a bot listens inside of its instance: events, publishing and its agent as well (`QUERY_PORT` of a container). */
export const QUERY_PORT = 9476;
