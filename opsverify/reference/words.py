"""The words of the reference of checks in both languages, and in Japanese what its questions need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from opsverify.config.items import CHAPTERS

_CHAPTERS_EN = {
    "DEP": "deployment",
    "BG": "blue-green deployment",
    "MON": "what is monitored",
    "AUTO": "automatic health checks",
    "LOG": "logs",
    "WEEK": "weekly maintenance",
    "STOP": "stopping the system",
    "REC": "bringing the system back",
    "BAK": "backups",
    "RST": "restoring",
    "SECD": "security, daily",
    "SECW": "security, weekly",
    "SECM": "security, monthly",
    "VUL": "vulnerabilities",
    "PERF": "performance",
    "INC": "incidents",
    "DOC": "documents of operation",
}


@dataclass(frozen=True)
class Words:
    """What the page says in one language beside the runbook's own words."""

    language: str
    head: str
    columns: tuple[str, ...]
    chapters: Mapping[str, str]
    within: Mapping[str, str]
    chapter: str
    schedule: str
    severity: str
    normal: str
    yes_or_no: str
    looks_at: str
    settings: str
    needs: str
    nothing: str
    turned_by: str
    action: str
    beyond: str
    stop: str
    colon: str
    comma: str
    explained: str
    """A name with what it means."""


WORDS: dict[str, Words] = {
    "en": Words(
        language="en",
        head="""\
# Checks

{note}

[日本語](../ja/reference/checks.md)

The {count} promises of the runbook, and what the suite makes of each. Marked with + is what the runbook does not say, but
whoever relies on it needs.

- *Needs* is what the account of the checks must be allowed to do beyond logging in; [privileges](../privileges.md) says
  how to grant it. Without it, a check is undetermined, never green.
- *Turned red or amber by* names faults that were really done to a system and turned this check:
  `pytest --env rehearsal --fault NAME` does it before your eyes. All of them: [faults](../faults.md).
- Limits and settings are those of the runbook; `checks` in an [environment file](environment.md) replaces them.
- A limit itself is a warning: with `< 80 % (alert > 90 %)`, 79.9 is normal, 80 to 90 is a warning.

""",
        columns=("Check", "Promise", "Runbook", "Schedule", "Severity", "Normal"),
        chapters=_CHAPTERS_EN,
        within={"P1": "within 1 hour", "P2": "within 4 hours", "P3": "within 1 business day", "P4": "within 1 week"},
        chapter="Runbook",
        schedule="Schedule",
        severity="Severity",
        normal="Normal",
        yes_or_no="the promise holds; it has no band",
        looks_at="Looks at",
        settings="Settings",
        needs="Needs",
        nothing="nothing beyond the connection itself",
        turned_by="Turned red or amber by",
        action="What to do",
        beyond=" Beyond the runbook.",
        stop=".",
        colon=": ",
        comma=", ",
        explained="{} ({})",
    ),
    "ja": Words(
        language="ja",
        head="""\
# チェック一覧

{note}

[English](../../reference/checks.md)

手順書が定める {count} 項目と、それぞれの判定方法です。「+」の付いた項目は、手順書には書かれていないものの、運用上欠かせないものです。

- *必要な権限* は、チェック用アカウントにログイン以外に必要な権限です。許可の方法は[権限の説明](../../privileges.md)（英語）にあります。権限がなければ判定不能となり、正常にはなりません。
- *異常を確かめた障害* は、実際に発生させて、このチェックが異常または注意になることを確かめた障害です。`pytest --env rehearsal --fault 障害名` で目の前で再現できます。一覧は [faults](../../faults.md)（英語）にあります。
- 基準値と設定の既定は手順書の値です。[環境ファイル](../../reference/environment.md)の `checks` で環境ごとに変更できます。
- 基準値ちょうどは注意です。`< 80 % (alert > 90 %)` なら、80 未満が正常、80 以上 90 以下が注意、90 を超えると異常です。

""",
        columns=("チェック", "確認内容", "手順書の章", "実施区分", "優先度", "正常値"),
        chapters=CHAPTERS,
        within={"P1": "1 時間以内", "P2": "4 時間以内", "P3": "1 営業日以内", "P4": "1 週間以内"},
        chapter="手順書の章",
        schedule="実施区分",
        severity="優先度（対応期限）",
        normal="正常値",
        yes_or_no="基準値なし（条件を満たすかどうかで判定）",
        looks_at="対象",
        settings="設定（既定値）",
        needs="必要な権限",
        nothing="接続できれば足りる",
        turned_by="異常を確かめた障害",
        action="対処",
        beyond="手順書にはない項目です。",
        stop="。",
        colon="：",
        comma="、",
        explained="{}（{}）",
    ),
}

_NEEDS_JA = {
    "what the target's headers carry; none by default": "通常は不要（認証が必要な文書は、対象の headers で渡す）",
    "to list the folder and read the archive": "フォルダーの一覧とアーカイブの読み取り",
    "to list the folder and read the dumps. With `look_at` 0 none is opened, and it may be a backup of any kind": (
        "フォルダーの一覧とダンプの読み取り（アーカイブについては一覧のみ）"
    ),
    "to list all of it": "フォルダー全体の一覧",
    "to list it": "フォルダーの一覧",
    "to list the folder. A folder that does not exist is a fact (exists=False), one that may not be read is "
    "MissingPrivilege": "フォルダーの一覧",
    "to list the folder and those below it": "フォルダーとその配下の一覧",
    "to read it. A file that does not exist is a fact: exists=False": "ファイルの読み取り",
    "to read the log; the group adm or systemd-journal for the journal; for a container those of `ContainerState`": (
        "ログの読み取り（ジャーナルは adm または systemd-journal グループ、コンテナはエンジンへの問い合わせ）"
    ),
    "to read the log (group adm on Debian)": "ログの読み取り（Debian では adm グループ）",
    "to read the log, or the journal (group systemd-journal), or to ask the engine of a container": (
        "ログまたはジャーナルの読み取り（systemd-journal グループ）、コンテナではエンジンへの問い合わせ"
    ),
    "membership in systemd-journal (or adm): without, only one's own entries show, which is MissingPrivilege": (
        "systemd-journal または adm グループ（なければ自分の記録しか見えず、判定不能になる）"
    ),
    "to read the log, or the journal (group systemd-journal)": "ログまたはジャーナルの読み取り（systemd-journal グループ）",
    "to read the log (group adm on Debian), or the journal (group systemd-journal)": (
        "ログ（Debian では adm グループ）またはジャーナル（systemd-journal グループ）の読み取り"
    ),
    "to read the log": "ログの読み取り",
    "to read the checkout; the host must reach the registry": (
        "チェックアウトの読み取り。ホストからパッケージレジストリに接続できること"
    ),
    "to read the checkout, and whatever the remote asks for": (
        "チェックアウトの読み取りと、リモートリポジトリが求める認証"
    ),
    "to list the folders": "フォルダーの一覧",
    "to read the checkout": "チェックアウトの読み取り",
    "to read the checkout, and that store": "チェックアウトと pnpm ストアの読み取り",
    "to read the file": "ファイルの読み取り",
    "as for `ProcessEnvironment`, and to read the checkout": (
        "稼働中のプロセスの環境変数の読み取り（同じユーザーまたは root。または環境変数ファイルの読み取り）と、チェックアウトの読み取り"
    ),
    "to read every file in it": "チェックアウト内の全ファイルの読み取り",
    "none for what is public; the group shadow (or root) for whether passwords are set, root for /etc/sudoers and "
    "other accounts' keys: what may not be seen is said so. Hashes never leave the host": (
        "公開情報には不要。パスワードの有無は shadow グループまたは root、/etc/sudoers と他アカウントの鍵は root"
        "（見えないものはその旨を示す。ハッシュがホストの外に出ることはない）"
    ),
    "to enter its folder; to read it for its interpreter, which is unknown without": (
        "スクリプトのフォルダーへのアクセスと、スクリプトの読み取り（インタープリターの確認）"
    ),
    "to ask the engine: for docker root or the group docker (which is as much), for podman the account that runs the "
    "container": (
        "エンジンへの問い合わせ（docker は root または同等の docker グループ、podman はコンテナを動かすアカウント）"
    ),
    "none but for the last": "他アカウントの crontab の読み取りを除き不要",
    "none (a mount point below a private folder is a problem of its own)": (
        "不要（他から見えないフォルダーの下のマウントポイントは、その旨を示す）"
    ),
    "none as these files are installed (mode 644)": "不要（対象の設定ファイルは通常モード 644）",
    "the same user or root for the process, else to read the unit's and the other files, or to ask the engine": (
        "プロセスと同じユーザーまたは root。なければユニットと環境変数ファイルの読み取り、コンテナではエンジンへの問い合わせ"
    ),
    "the same user or root for the running one; none for the other; for a container those of `ContainerState`": (
        "稼働中のものはプロセスと同じユーザーまたは root（インストール済みのものは不要）、コンテナではエンジンへの問い合わせ"
    ),
    "to search the folders that the files lie in": "ファイルがあるフォルダーへのアクセス",
    "none for whether anybody listens; whose socket it is needs the same user or root, and is None without. The "
    "service's own network namespace is looked at where it may be": (
        "待ち受けの有無には不要。どのプロセスのソケットかは、プロセスと同じユーザーまたは root"
    ),
    "none; a process's executable needs the same user or root and is None without, recent restarts need the journal "
    "(group systemd-journal), and a container needs what `ContainerState` does": (
        "基本は不要。実行ファイルの確認はプロセスと同じユーザーまたは root、直近の再起動は systemd-journal グループ、"
        "コンテナはエンジンへの問い合わせ"
    ),
    "none for the sockets; whose they are needs the same user or root": (
        "ソケットの一覧には不要。どのプロセスのものかは、プロセスと同じユーザーまたは root"
    ),
    "none for processes and commands; working directories need the same user or root": (
        "プロセスの一覧には不要。作業フォルダーの確認は、プロセスと同じユーザーまたは root"
    ),
    "none, unless /proc is mounted with hidepid": "不要（/proc が hidepid 付きでマウントされている場合を除く）",
    "none; for what was said, to read the journal (group systemd-journal)": (
        "基本は不要。出力の確認は systemd-journal グループ"
    ),
    "none; it simulates, asks no network and writes no cache": (
        "不要（シミュレーションのみで、ネットワークにもキャッシュにも触れない）"
    ),
    "to execute it. A missing command is a fact: found=False": "コマンドの実行",
    "Needs the Api's login or token, where the API wants one": "API がログインを求める場合は、対象の login または token",
    "Needs the Api's login or token": "対象の login または token",
    "Needs SELECT on pg_hba_file_rules and EXECUTE on its function; hidden without": (
        "pg_hba_file_rules の SELECT と、その関数の EXECUTE"
    ),
    "Needs SELECT on `_prisma_migrations`, in the search_path or else in public": "`_prisma_migrations` の SELECT",
    "Any role": "データベースのロール（種類を問わない）",
    "Needs CONNECT on the database": "データベースへの CONNECT",
    "Any role; exact with pg_read_all_stats": "データベースのロール（正確な値には pg_read_all_stats）",
    "Needs what `RowCounts` needs, on every table": "すべての表について、少なくとも 1 列の SELECT（行セキュリティに妨げられないこと）",
    "Any role; pg_read_all_stats tells what is only being built": (
        "データベースのロール（作成中のインデックスの判別には pg_read_all_stats）"
    ),
    "Needs SELECT on each sequence, and on primary keys that no sequence fills": (
        "各シーケンスと、シーケンスを使わない主キーの SELECT"
    ),
    "Any role; sessions of others need pg_monitor": "データベースのロール（他ロールのセッションには pg_monitor）",
    "Any role; kinds of password hashes need SELECT on the view opsverify.password_kinds": (
        "データベースのロール（パスワードの保存方式には、ビュー opsverify.password_kinds の SELECT）"
    ),
    "Needs SELECT on a column of each table, unhindered by row security": (
        "対象の表について、少なくとも 1 列の SELECT（行セキュリティに妨げられないこと）"
    ),
    "Any role; settings that only superusers see need pg_read_all_settings (pg_monitor)": (
        "データベースのロール（スーパーユーザー限定の設定には pg_read_all_settings。pg_monitor に含まれる）"
    ),
    "Needs pg_stat_statements, installed and loaded, and pg_read_all_stats": (
        "拡張機能 pg_stat_statements（導入と読み込み済み）と pg_read_all_stats"
    ),
    "Any role; which segments wait needs pg_monitor": "データベースのロール（未アーカイブのセグメントには pg_monitor）",
    "to execute the script, and to read the place of arrival": "スクリプトの実行と、到着先の読み取り",
    "to read it": "ファイルの読み取り",
    "to enter the folders that commands name, and to read package.json and the logs": (
        "コマンドに出てくるフォルダーへの立ち入りと、package.json およびログの読み取り"
    ),
    "on the host to list the folder and read the dump; here, PostgreSQL's server programs": (
        "ホストでフォルダーの一覧とダンプの読み取り。実行するマシンに PostgreSQL のサーバープログラム"
    ),
    "on the host to list the folder and read the archive": "ホストでフォルダーの一覧とアーカイブの読み取り",
}


def japanese_need(english: str) -> str:
    """What a question needs, in Japanese; raises ValueError where nobody has said it yet."""
    if english not in _NEEDS_JA:
        raise ValueError(f"opsverify/reference/words.py has no Japanese for what a question needs: {english!r}")
    return _NEEDS_JA[english]
