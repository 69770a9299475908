/** The node that takes sound in any format, and gives it in any other. */
import { systemDependencies } from '../../src/convert/engine';
import { convertNode } from './audio-convert';

export = convertNode(systemDependencies);
