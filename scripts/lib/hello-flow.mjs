/** The flow that `npm start` begins with: the example, with the sound source that is here. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, ROOT } from './run.mjs';

const EXAMPLE = join(ROOT, 'examples', 'hear-this-computer.json');

/**
 * Deploys the flow to a Node-RED that runs, unless its user has changed what was deployed at an earlier start.
 * @param {string} url of Node-RED
 * @param {string} recordFile where to keep what was deployed
 * @param {'pulse' | 'test'} source of the audio server
 * @returns {Promise<boolean>} false where the user's own flow was kept
 */
export async function deployHelloFlow(url, recordFile, source) {
  const example = await readFile(EXAMPLE, 'utf8');
  const made = createHash('sha256').update(source).update(example).digest('hex');
  const record = await readRecord(recordFile);
  const { flows, rev } = await request(url, 'GET');
  if (flows.length > 0 && rev !== record?.rev) return false;
  if (made === record?.made && rev === record.rev) return true;

  const flow = JSON.parse(example).map((node) =>
    node.type === 'orgo-audio-server' ? { ...node, source } : node,
  );
  const deployed = await request(url, 'POST', { flows: flow });
  await writeFile(recordFile, JSON.stringify({ rev: deployed.rev, made }));
  return true;
}

/**
 * Node-RED's admin API, version 2: a flow's `rev` is a digest of its content.
 * @param {string} url @param {'GET' | 'POST'} method @param {object} [body]
 */
async function request(url, method, body) {
  const response = await fetch(new URL('flows', url), {
    method,
    headers: { 'Node-RED-API-Version': 'v2', 'Content-Type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Failure(`Node-RED answered ${response.status} to ${method} /flows.`);
  return response.json();
}

/** @param {string} path @returns {Promise<{ rev: string, made: string } | undefined>} */
async function readRecord(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
