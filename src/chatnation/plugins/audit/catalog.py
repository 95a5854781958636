"""Every action that the log may hold, what it says, and who records it. The documentation has the same list."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """One action. `planned`: the part of the product that will record it does not exist yet."""

    name: str
    says: str
    by: str
    planned: bool = False


ACTIONS = (
    Action(
        "auth.login",
        "Somebody signed in; details say by what and which second factor.",
        "core, signing in",
    ),
    Action(
        "auth.login_failure",
        "A sign-in failed, in the log of each tenant that the user belongs to.",
        "core, signing in",
    ),
    Action("auth.logout", "Somebody signed out.", "core, signing in"),
    Action("auth.second_factor.failed", "A wrong code.", "core, signing in"),
    Action("auth.refresh_token.reused", "A spent refresh token came back, so its login was ended.", "core, signing in"),
    Action("auth.confirmation.failed", "A wrong password where it was asked for again.", "core, own account"),
    Action("auth.second_factor.enabled", "A second factor was set up.", "core, own account"),
    Action("auth.second_factor.disabled", "A second factor was given up.", "core, own account"),
    Action(
        "auth.second_factor.reset",
        "Somebody's second factors were taken away by another.",
        "core, people; command line",
    ),
    Action("auth.recovery_codes.replaced", "New recovery codes were made.", "core, own account"),
    Action("auth.device.forgotten", "A remembered browser was forgotten.", "core, own account"),
    Action("auth.login.revoked", "One's own login elsewhere was ended.", "core, own account"),
    Action("auth.logins.revoked", "All of one's other logins were ended.", "core, own account"),
    Action("auth.personal_token.created", "A personal token was made.", "core, own account"),
    Action("auth.personal_token.revoked", "A personal token was revoked.", "core, own account"),
    Action("auth.profile.updated", "Somebody changed their name.", "core, own account"),
    Action("auth.tenant.chosen", "Somebody went on in another tenant.", "core, own account"),
    Action("auth.password.changed", "A password was changed.", "core, passwords"),
    Action(
        "auth.password.reset", "A password was set anew, by a link or by an operator.", "core, passwords; command line"
    ),
    Action("auth.password.reset_requested", "A link to choose a new password was asked for.", "core, passwords"),
    Action("auth.signup", "An organisation was signed up.", "core, signing up"),
    Action("auth.sso.linked", "A user was linked to an identity of an issuer, or made by it.", "core, single sign-on"),
    Action("auth.sso.rejected", "A single sign-on was refused, and why.", "core, single sign-on"),
    Action("config.sso.updated", "Single sign-on was set up or changed.", "core, single sign-on"),
    Action("config.sso.deleted", "Single sign-on was removed.", "core, single sign-on"),
    Action("config.security.updated", "What is asked of logins and passwords was changed.", "core, settings"),
    Action("config.sessions.revoked", "Everybody was signed out.", "core, settings"),
    Action("config.settings.updated", "Settings of the organisation were changed.", "core, settings"),
    Action("config.invitation.created", "Somebody was invited.", "core, people"),
    Action("config.invitation.resent", "An invitation was sent again.", "core, people"),
    Action("config.invitation.revoked", "An invitation was withdrawn.", "core, people"),
    Action("config.invitation.accepted", "An invitation was accepted.", "core, people"),
    Action("config.member.added", "Somebody was made a member.", "command line"),
    Action("config.member.role_changed", "A member got another role.", "core, people"),
    Action("config.member.deactivated", "A member lost their access.", "core, people; command line"),
    Action("config.member.reactivated", "A member got their access back.", "core, people"),
    Action("config.role.created", "A role was made.", "core, roles"),
    Action("config.role.updated", "A role was changed.", "core, roles"),
    Action("config.role.deleted", "A role was deleted.", "core, roles"),
    Action("config.tenant.created", "A tenant was made.", "command line"),
    Action("config.tenant.updated", "Name or time zone of a tenant were changed.", "command line"),
    Action("config.project.created", "A project was made.", "core, projects; command line"),
    Action("config.project.updated", "A project was changed.", "core, projects; command line"),
    Action("config.key.created", "A key was made; its prefix is named, never the key.", "core, keys; command line"),
    Action("config.key.rotated", "A key was replaced by another.", "core, keys; command line"),
    Action("config.key.revoked", "A key was revoked.", "core, keys; command line"),
    Action("config.plugin.enabled", "A plugin was switched on for a tenant.", "core, plugins; command line"),
    Action("config.plugin.disabled", "A plugin was switched off for a tenant.", "core, plugins; command line"),
    Action("config.plugin.updated", "Settings of a plugin were changed.", "core, plugins"),
    Action("config.funnel.created", "A funnel was saved.", "funnels"),
    Action("config.funnel.updated", "A saved funnel was changed or renamed.", "funnels"),
    Action("config.funnel.deleted", "A saved funnel was deleted.", "funnels"),
    Action(
        "report.table.exported",
        "A table of a report was downloaded; details say by what filters or question, and how many rows.",
        "core, queries; dashboard; explorer",
    ),
    Action(
        "report.table.export_ended",
        "A download of events came to its end; details say after how many rows.",
        "core, queries",
    ),
    Action("config.secrets.rotated", "Secrets were sealed with a new key; in the log of the instance.", "command line"),
    Action("person.exported", "Everything known about a person was handed out.", "explorer, command line"),
    Action("person.erased", "A person was erased; details count, and name nobody.", "command line"),
    Action("person.split", "A person was taken apart.", "explorer, command line"),
    Action("person.joined", "A split of a person was taken back.", "explorer"),
    Action("danger_zone.tenant.deleted", "A tenant was erased; in the log of the instance.", "command line"),
    Action("danger_zone.tenant.exported", "The data of a tenant was exported.", "danger_zone, command line"),
    Action("danger_zone.tenant.deletion_requested", "Somebody asked for the tenant to be deleted.", "danger_zone"),
    Action("danger_zone.role.deleted", "A role was archived and deleted.", "danger_zone"),
    Action("danger_zone.role.restored", "A role was restored from the archive.", "danger_zone"),
    Action("danger_zone.user.deleted", "A membership was archived and deleted.", "danger_zone"),
    Action("danger_zone.user.restored", "A membership was restored from the archive.", "danger_zone"),
    Action("media.file.uploaded", "Somebody uploaded a file; details say its kind and size.", "media"),
    Action("media.file.deleted", "Somebody deleted a file.", "media"),
    Action("audit.log.viewed", "Somebody read the log, with these filters.", "audit"),
    Action("audit.log.exported", "Somebody downloaded the log.", "audit"),
    Action("audit.log.cut", "Retention removed old records.", "audit"),
    Action("audit.records.redacted", "Records lost what named an erased person.", "audit"),
    Action("email.mail.given_up", "A mail could not be delivered.", "email"),
    Action("media.file.uploaded", "A file was uploaded.", "media"),
    Action("media.file.deleted", "A file was deleted.", "media"),
    Action("config.team.created", "A team was made.", "teams", planned=True),
    Action("config.team.updated", "A team was changed.", "teams", planned=True),
    Action("config.team.deleted", "A team was deleted.", "teams", planned=True),
    Action("config.team.disabled", "A team was switched off.", "teams", planned=True),
    Action("config.team.enabled", "A team was switched on.", "teams", planned=True),
    Action("config.crm.created", "A CRM integration was made.", "crm", planned=True),
    Action("config.crm.updated", "A CRM integration was changed.", "crm", planned=True),
    Action("config.crm.deleted", "A CRM integration was deleted.", "crm", planned=True),
    Action("chat.session.assigned", "A chat got an agent; also by automatic assignment.", "inbox", planned=True),
    Action("chat.session.resolved", "A chat was closed.", "inbox", planned=True),
    Action("chat.session.transferred", "A chat was handed on; one record a chat.", "inbox", planned=True),
    Action("chat.session.handed_over", "A bot handed a chat over.", "inbox", planned=True),
    Action("contact.profile.updated", "A contact was changed; names of fields only.", "contacts", planned=True),
    Action("contact.profile.deactivated", "A contact was deactivated.", "contacts", planned=True),
    Action("contact.list.exported", "Contacts were exported.", "contacts", planned=True),
    Action("contact.list.imported", "Contacts were imported.", "contacts", planned=True),
    Action("campaign.campaign.sent", "A campaign was sent.", "campaigns", planned=True),
)
