import { nested, object, oneOf, text, texts, whole, flag } from './property.js';

export class FoundDto {
  @text({ about: 'the id or path it is about' }) entity!: string;
  @text() found!: string;
}

export class RuleDto {
  @text() rule!: string;
  @oneOf(['error', 'warning']) severity!: string;
  @text() title!: string;
  @text() why!: string;
  @text() fix!: string;
  @whole({ min: 0, about: 'all of them' }) count!: number;
  @nested(FoundDto, 'list', { about: 'the first 20' }) first!: FoundDto[];
  @text({ optional: true, about: 'why it could not be looked at' }) unchecked?: string;
}

/** What `deespec check --json` finds in the database, by rule. */
export class FindingsDto {
  @flag() ok!: boolean;
  @whole({ min: 0 }) count!: number;
  @nested(RuleDto, 'list') rules!: RuleDto[];
  @whole() durationMs!: number;
}

export class ConflictParams {
  @text({ pattern: /^[\w.-]{1,128}$/u }) id!: string;
}

export class ConflictSideParams extends ConflictParams {
  @oneOf(['kept', 'present'], { about: 'the version that is kept, or the one that stands there now' })
  side!: string;
}

export class ConflictDto {
  @text() id!: string;
  @text({ about: 'for display' }) path!: string;
  @oneOf(['files', 'sqlite'], { about: 'which store held the version that is kept' }) store!: string;
  @text({ about: 'UTC' }) at!: string;
  @oneOf(['file', 'directory', 'symlink']) kind!: string;
  @whole() sizeBytes!: number;
  @text() sha256!: string;
  @text({ about: 'UTC' }) modifiedAt!: string;
  @text() reason!: string;
}

export class VersionDto {
  @oneOf(['file', 'directory', 'symlink']) kind!: string;
  @whole() sizeBytes!: number;
  @text() sha256!: string;
  @text({ about: 'UTC' }) modifiedAt!: string;
}

export class ConflictDetailDto extends ConflictDto {
  @nested(VersionDto, 'object', {
    optional: true,
    about: 'what stands at the path in the truth of the mode; absent: nothing',
  })
  present?: VersionDto;
}

export class ConflictListDto {
  @nested(ConflictDto, 'list', { about: 'oldest first, at most 200' }) items!: ConflictDto[];
  @whole({ about: 'all of them' }) count!: number;
}

export class ResolveRequest {
  @oneOf(['file', 'db'], { about: 'the version of the files, or that of the database' }) take!: string;
  @text({ max: 4_096, about: 'the path of the conflict, typed again' }) confirm!: string;
}

export class ResolvedDto {
  @text() id!: string;
  @oneOf(['file', 'db']) take!: string;
  @flag({ about: 'false when that version stood there already' }) written!: boolean;
}

export class QuarantineQuery {
  @whole({ optional: true, min: 1, max: 200, about: 'default 50' }) limit?: number;
  @text({ optional: true, pattern: /^[0-9a-f]{32}$/u, about: 'nextCursor of the page before' })
  cursor?: string;
}

export class QuarantineParams {
  @text({ pattern: /^[0-9a-f]{32}$/u, about: 'as the list has it; holds while the server runs' }) id!: string;
}

export class QuarantinedDto {
  @text() id!: string;
  @text({ about: 'for display' }) path!: string;
  @oneOf(['file', 'directory', 'symlink']) kind!: string;
  @whole() sizeBytes!: number;
  @text() reason!: string;
  @text({ optional: true }) rule?: string;
}

export class BrokenRuleDto {
  @text() rule!: string;
  @text() why!: string;
  @text() fix!: string;
}

export class QuarantinedDetailDto extends QuarantinedDto {
  @nested(BrokenRuleDto, 'list') rules!: BrokenRuleDto[];
}

export class QuarantinePageDto {
  @nested(QuarantinedDto, 'list') items!: QuarantinedDto[];
  @text({ optional: true }) nextCursor?: string;
}

export class ScriptDto {
  @whole() version!: number;
  @text() name!: string;
  @text({ about: 'such as applied or pending' }) state!: string;
  @text({ optional: true, about: 'UTC' }) appliedAt?: string;
  @whole({ optional: true }) durationMs?: number;
  @text() checksum!: string;
}

export class ProblemDto {
  @text() code!: string;
  @text() message!: string;
  @text({ optional: true }) hint?: string;
}

export class SchemaDto {
  @whole({ about: '0: there is no database' }) version!: number;
  @whole({ about: 'what this program works on' }) newest!: number;
  @nested(ScriptDto, 'list') scripts!: ScriptDto[];
  @nested(ProblemDto, 'object', { optional: true }) problem?: ProblemDto;
  @texts({ about: 'names of copies from before changes of the schema' }) copies!: string[];
}

export class ConfigDto {
  @text({ about: 'setting.<key> or workflow.<key>' }) key!: string;
  @text({ about: 'JSON text' }) valueJson!: string;
  @text({ about: 'UTC' }) updatedAt!: string;
  @text({ about: 'If-Match of a change' }) revision!: string;
}

export class ConfigListDto {
  @nested(ConfigDto, 'list', { about: 'by key, at most 1,000' }) items!: ConfigDto[];
}

export class ConfigParams {
  @text({ min: 1, max: 200, pattern: /^(setting|workflow)\.[^/]+$/u }) key!: string;
}

export class ConfigChangeRequest {
  @text({ min: 1, max: 100_000, about: 'JSON text' }) valueJson!: string;
}

export class BackupDto {
  @text() id!: string;
  @oneOf(['verified', 'unverified', 'refused']) state!: string;
  @whole() sizeBytes!: number;
  @whole({ optional: true }) ageSeconds?: number;
  @text({ optional: true, about: 'UTC' }) createdAt?: string;
  @text({ optional: true, about: 'UTC' }) verifiedAt?: string;
  @text({ optional: true }) note?: string;
  @text({ optional: true }) mode?: string;
  @whole({ optional: true }) schemaVersion?: number;
  @flag({ optional: true }) compressed?: boolean;
  @text({ optional: true }) treeDigest?: string;
  @object({ optional: true, about: 'rows by table' }) counts?: Record<string, unknown>;
  @text({ optional: true, about: 'what is wrong' }) problem?: string;
}

export class BackupListDto {
  @nested(BackupDto, 'list', { about: 'newest first' }) items!: BackupDto[];
}
