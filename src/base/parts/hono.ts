export { getRequestListener } from '@hono/node-server';
export { Hono } from 'hono';
export { TrieRouter } from 'hono/router/trie-router';
