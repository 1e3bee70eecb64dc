import type { FastifyRequest } from 'fastify';
import { GPU_COUNT_LIMIT, gpuNeedFrom } from '../../../domain/gpuNeed.ts';
import type { ImageDefinition } from '../../../domain/images/image.ts';
import { askedBy, submit } from '../commands.ts';
import { imageEchoes } from '../echoes.ts';
import type { Route } from '../edge.ts';
import { ifMatch, setEtag } from '../etag.ts';
import { HttpProblem } from '../problem.ts';
import { imageParams, imagePut, type ImagePut } from '../schemas/requests.ts';
import { savedImage } from '../schemas/views.ts';
import { imageOr404 } from './find.ts';
import { problems } from './problems.ts';

export const putImage: Route = (api, edge) => {
  const schema = {
    summary: 'Defines an image, or revises the one of that id; what is left out is its default',
    tags: ['images'],
    params: imageParams,
    body: imagePut,
    response: { 200: savedImage, 201: savedImage, ...problems },
  };
  const config = { role: 'admin', bus: { kind: 'command', name: 'DefineImage', target: 'fleet' } } as const;
  api.put('/images/:imageId', { schema, config }, async (request, reply) => {
    const { imageId } = request.params;
    const image = definition(imageId, request.body);
    const command = { type: 'DefineImage', image, ifRevision: condition(request) } as const;
    const asked = { asked: askedBy(request), command, reason: request.body.reason };
    const { outcome } = await submit(edge, edge.core.fleet, asked, reply);
    const saved = imageOr404(edge.core, imageId);
    setEtag(reply, saved.revision);
    reply.code(outcome['created'] === true ? 201 : 200);
    return { ...saved, echoes: imageEchoes(saved, request.body) };
  });
};

/** `If-None-Match: *` asks for a new image: revision 0 is "none yet". */
function condition(request: FastifyRequest): number | null {
  return request.headers['if-none-match']?.trim() === '*' ? 0 : ifMatch(request);
}

function definition(imageId: string, body: ImagePut): ImageDefinition {
  const { requireGpu, gpuCount } = body;
  if (gpuCount > GPU_COUNT_LIMIT) {
    const detail = `an image may ask for at most ${GPU_COUNT_LIMIT} GPUs by number, not ${gpuCount}`;
    throw new HttpProblem(400, 'GPU_COUNT_LIMIT', detail, {
      numbers: { asked: gpuCount, limit: GPU_COUNT_LIMIT },
      errors: [{ path: 'gpuCount', message: `at most ${GPU_COUNT_LIMIT}` }],
    });
  }
  const gpuModel = body.gpuModel ?? '';
  return {
    imageId,
    name: body.name,
    // The decider counts; this one is not looked at.
    revision: 1,
    reference: body.reference,
    digest: null,
    millicores: body.cores,
    memoryBytes: body.memory,
    cpuMode: body.cpuMode,
    gpu: { ...gpuNeedFrom(requireGpu, gpuCount) },
    gpuModel: gpuModel === '' ? null : gpuModel,
    gpuMemoryBytes: body.gpuMemory ?? null,
    includeLabels: body.includeLabels,
    excludeLabels: body.excludeLabels,
    ports: body.ports,
    shmBytes: body.shm ?? null,
    environment: body.environment,
    command: body.command ?? null,
  };
}
