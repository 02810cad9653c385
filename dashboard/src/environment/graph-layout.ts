import { Graph, layout } from '@dagrejs/dagre';
import type { EnvironmentSpec } from '~/api/kinds';
import { edgesOf, type Edge } from './references';

export const NODE_WIDTH = 190;
export const NODE_HEIGHT = 76;

export interface Placed {
  nodes: { name: string; x: number; y: number }[];
  edges: Edge[];
}

/** Puts what is needed below what needs it. The same spec gives the same picture. Pure. */
export function place(spec: EnvironmentSpec): Placed {
  const names = Object.entries(spec.services ?? {})
    .filter(([, service]) => service !== null)
    .map(([name]) => name)
    .sort();
  const edges = edgesOf(spec);
  const graph = new Graph();
  graph.setGraph({ rankdir: 'TB', nodesep: 100, ranksep: 76, marginx: 16, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const name of names) graph.setNode(name, { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const edge of edges) graph.setEdge(edge.from, edge.to);
  layout(graph);
  return {
    edges,
    nodes: names.map((name) => {
      const { x, y } = graph.node(name) as { x: number; y: number };
      return { name, x: x - NODE_WIDTH / 2, y: y - NODE_HEIGHT / 2 };
    }),
  };
}
