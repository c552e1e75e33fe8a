import { nested, text, whole } from './property.js';

export class AuditQuery {
  @text({ optional: true, min: 1, max: 500 }) entityId?: string;
  @text({ optional: true, max: 40, about: 'rows at or after this time, UTC' }) since?: string;
  @whole({ optional: true, min: 1, max: 200, about: 'default 50' }) limit?: number;
  @whole({ optional: true, min: 0, about: 'nextCursor of the page before' }) cursor?: number;
}

export class AuditRowDto {
  @text({ about: 'UTC' }) timestamp!: string;
  @text() entityType!: string;
  @text() entityId!: string;
  @text() action!: string;
  @text({ optional: true, about: 'JSON text' }) oldValue?: string;
  @text({ optional: true, about: 'JSON text' }) newValue?: string;
  @text({ optional: true }) user?: string;
  @text({ optional: true }) sessionId?: string;
  @text({ optional: true }) requestId?: string;
  @text({ optional: true, about: 'SHA-256 of the first file that was replaced' }) oldHash?: string;
  @text({ optional: true }) newHash?: string;
  @whole({ optional: true, about: 'place in the chain, from 1' }) seq?: number;
  @text({ optional: true, about: 'the transaction of the journal that it comes from, for display' })
  source?: string;
}

export class AuditPageDto {
  @nested(AuditRowDto, 'list', { about: 'newest first' }) items!: AuditRowDto[];
  @whole({ optional: true, about: 'absent on the last page' }) nextCursor?: number;
}
