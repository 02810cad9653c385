import '@xyflow/react/dist/style.css';
import { Background, Controls, Handle, MarkerType, Position, ReactFlow, type Edge, type Node, type NodeProps } from '@xyflow/react';
import { useMemo } from 'react';
import type { Environment, ServiceStatus } from '~/api/kinds';
import { useIsDark } from '~/theme/mode';
import { Nothing, Panel } from '~/ui/panel';
import { Status } from '~/ui/status';
import { NODE_HEIGHT, NODE_WIDTH, place } from './graph-layout';
import { serviceTone } from './service-tone';

type ServiceNode = Node<{ name: string; state: ServiceStatus['state'] | undefined; kind: string }, 'service'>;

const nodeTypes = { service: ServiceBox };

/** Who needs whom, with health. The list below the picture says the same in words. */
export function GraphTab({ environment }: { environment: Environment }) {
  const isDark = useIsDark();
  const { spec, status } = environment;
  const placed = useMemo(() => place(spec), [spec]);
  const nodes: ServiceNode[] = placed.nodes.map(({ name, x, y }) => ({
    id: name,
    type: 'service',
    position: { x, y },
    width: NODE_WIDTH,
    height: NODE_HEIGHT,
    data: {
      name,
      state: status?.services?.[name]?.state,
      kind: spec.services?.[name]?.engine ?? (spec.services?.[name]?.source?.image ? 'image' : 'repository'),
    },
  }));
  const edges: Edge[] = placed.edges.map((edge) => ({
    id: `${edge.from}-${edge.to}`,
    source: edge.from,
    target: edge.to,
    label: edge.variables.join(', '),
    animated: status?.services?.[edge.from]?.state === 'Deploying',
    style: edge.isDeclared ? {} : { strokeDasharray: '5 5' },
    markerEnd: { type: MarkerType.ArrowClosed, color: 'var(--idle-dot)' },
  }));

  if (nodes.length === 0) {
    return (
      <Panel>
        <Nothing title="No services to draw">What a template adds is drawn once it is declared here.</Nothing>
      </Panel>
    );
  }
  return (
    <Panel title="Services and what they need" note="Solid: dependsOn, which a rollout waits for. Dashed: only a reference in a variable.">
      <div className="h-[460px] overflow-hidden rounded-xl border border-line bg-inset">
        <ReactFlow
          nodes={nodes}
          edges={edges}
          className="graph"
          nodeTypes={nodeTypes}
          colorMode={isDark ? 'dark' : 'light'}
          fitView
          fitViewOptions={{ maxZoom: 1.1, padding: 0.15 }}
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          minZoom={0.3}
          proOptions={{ hideAttribution: true }}
        >
          <Background gap={22} color="var(--line-strong)" />
          <Controls showInteractive={false} />
        </ReactFlow>
      </div>
      <ul className="mt-4 grid gap-1 text-[13px] text-ink-soft sm:grid-cols-2">
        {placed.edges.map((edge) => (
          <li key={`${edge.from}-${edge.to}`}>
            <strong className="font-medium text-ink">{edge.from}</strong> {edge.isDeclared ? 'depends on' : 'refers to'}{' '}
            <strong className="font-medium text-ink">{edge.to}</strong>
            {edge.variables.length > 0 && ` (${edge.variables.join(', ')})`}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function ServiceBox({ data }: NodeProps<ServiceNode>) {
  const { tone, isMoving } = serviceTone(data.state);
  return (
    <div className="flex h-full flex-col justify-center rounded-xl border border-line-strong bg-panel-solid px-3.5 shadow-panel">
      <Handle type="target" position={Position.Top} className="!opacity-0" />
      <span className="truncate font-semibold">{data.name}</span>
      <span className="flex items-center justify-between gap-2">
        <Status tone={tone} word={data.state ?? 'Unknown'} isMoving={isMoving} />
        <span className="truncate text-xs text-ink-soft">{data.kind}</span>
      </span>
      <Handle type="source" position={Position.Bottom} className="!opacity-0" />
    </div>
  );
}
