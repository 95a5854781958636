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
    Action("auth.login", "Somebody signed in; details say by which second factor or sign-on.", "core, sign-in"),
    Action("auth.login_failure", "A sign-in failed, in the log of each tenant the user belongs to.", "core, sign-in"),
    Action("auth.logout", "Somebody signed out.", "core, sign-in"),
    Action("auth.password.reset", "A password was set anew, by a link or on the command line.", "core, passwords"),
    Action("auth.sso.rejected", "A single sign-on was refused, and why.", "core, single sign-on"),
    Action("auth.sso.linked", "A user was linked to an identity of an issuer.", "core, single sign-on"),
    Action("config.sso.updated", "Single sign-on was set up or changed.", "core, single sign-on"),
    Action("config.sso.deleted", "Single sign-on was removed.", "core, single sign-on"),
    Action("config.tenant.created", "A tenant was made.", "command line"),
    Action("config.tenant.updated", "Name or time zone of a tenant were changed.", "command line"),
    Action("config.project.created", "A project was made.", "command line"),
    Action("config.project.updated", "A project was changed.", "command line"),
    Action("config.key.created", "A key was made; its prefix is named, never the key.", "command line"),
    Action("config.key.revoked", "A key was revoked.", "command line"),
    Action("config.member.added", "Somebody was made a member.", "command line"),
    Action("config.member.deactivated", "Somebody lost their access.", "command line"),
    Action("config.plugin.enabled", "A plugin was switched on for a tenant.", "command line"),
    Action("config.plugin.disabled", "A plugin was switched off for a tenant.", "command line"),
    Action("config.secrets.rotated", "Secrets were sealed with a new key.", "command line"),
    Action("person.exported", "Everything known about a person was handed out.", "command line"),
    Action("person.erased", "A person was erased; details count, and name nobody.", "command line"),
    Action("person.split", "A person was taken apart.", "command line"),
    Action("danger_zone.tenant.deleted", "A tenant was erased, in the log of the instance.", "command line"),
    Action("audit.log.viewed", "Somebody read the log, with these filters.", "audit"),
    Action("audit.log.exported", "Somebody downloaded the log.", "audit"),
    Action("audit.log.cut", "Retention removed old records.", "audit"),
    Action("audit.records.redacted", "Records lost what named an erased person.", "audit"),
    Action("email.mail.given_up", "A mail could not be delivered.", "email"),
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
