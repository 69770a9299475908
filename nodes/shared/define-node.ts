/** Makes a Node-RED node of its settings and of what it does: what each node's file exports. */
import { credentialsOf, parseSettings, type Settings, type SettingValues } from './settings';
import { registerNode, type NodeBehaviour, type Red, type RedNode } from './red';
import { StatusLine } from './status';
import { SYSTEM_DEPENDENCIES, type Dependencies } from './stream-node';

/** What a node is made with. */
export interface NodeParts<S extends Settings, More = unknown> {
  readonly RED: Red;
  readonly node: RedNode;
  readonly settings: SettingValues<S>;
  /** The line below the node. It is cleared when the node has closed. */
  readonly status: StatusLine;
  readonly dependencies: Dependencies & More;
}

/**
 * A module for Node-RED that registers a node, its secrets among the credentials.
 * @param build makes one; it may throw, and is not called where a setting is wrong: see {@link registerNode}
 * @param more that the node needs from outside; tests pass their own
 */
export function defineNode<S extends Settings, More extends object = object>(
  type: string,
  settings: S,
  build: (parts: NodeParts<S, More>) => NodeBehaviour,
  more?: More,
): (RED: Red, given?: Partial<Dependencies & More>) => void {
  return (RED, given) => {
    const dependencies = { ...SYSTEM_DEPENDENCIES, ...more, ...given } as Dependencies & More;
    registerNode(RED, type, { credentials: credentialsOf(settings) }, (node, config) => {
      const values = parseSettings(settings, config, node.credentials ?? {});
      const status = new StatusLine(RED, node, dependencies.clock);
      const behaviour = build({ RED, node, settings: values, status, dependencies });
      return {
        onInput: (msg, send) => behaviour.onInput?.(msg, send),
        async onClose(removed) {
          await behaviour.onClose?.(removed);
          status.close();
        },
      };
    });
  };
}
