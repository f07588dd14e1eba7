import agent from '../node/agent.cjs' with { type: 'text' };

/** Stands before the launcher of agents. */
export const nodeAgent = agent;
